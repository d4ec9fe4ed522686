const model = await (await fetch("digits.tflite")).arrayBuffer();
const context = new OfflineAudioContext(1, 128, 8000);
await context.audioWorklet.addModule("processor.js");
const node = new AudioWorkletNode(context, "thimble", { processorOptions: { model } });
node.port.onmessage = ({ data }) => {
  globalThis.answered = data;
};
await context.startRendering();
