import type { Sound } from "thimble/audio";

/** Camera pictures are drawn no larger: models take less. */
const MOST_PIXELS = 320;
const INTERVAL_MS = 150;
const RATE = 16000;

/** Ends a capture and lets the device go. */
export type Stop = () => void;

export function canCapture(): boolean {
  // Only in secure contexts, and where no policy of the page's host takes it away.
  return "mediaDevices" in navigator;
}

/** The pixels of a picture, at most `most` wide and high. */
export function pixelsOf(source: CanvasImageSource, width: number, height: number, most = 4096): ImageData {
  const scale = Math.min(1, most / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser draws no canvas");
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Shows the camera in `video`, and gives its picture a few times a second. */
export async function watchCamera(
  video: HTMLVideoElement,
  take: (picture: ImageData) => void,
): Promise<Stop> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
  video.srcObject = stream;
  await video.play();
  const timer = setInterval(() => {
    take(pixelsOf(video, video.videoWidth, video.videoHeight, MOST_PIXELS));
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    video.srcObject = null;
    stopTracks(stream);
  };
}

/** Gives the last second of the microphone a few times a second. */
export async function listen(take: (sound: Sound) => void): Promise<Stop> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  // An analyser remembers 32,768 samples, which are a second only at this rate.
  const context = new AudioContext({ sampleRate: RATE });
  const analyser = new AnalyserNode(context, { fftSize: 32768 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    take({ rate: RATE, samples: samples.slice(-RATE) });
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    void context.close();
    stopTracks(stream);
  };
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
