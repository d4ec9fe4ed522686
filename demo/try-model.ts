import { readWav } from "thimble/audio";
import type { Range } from "thimble/image";
import type { Stop } from "./capture.ts";
import { canCapture, listen, pixelsOf, watchCamera } from "./capture.ts";
import { byId, duration, element } from "./dom.ts";
import { Latest } from "./latest.ts";
import type { Answered, Given, ModelFile, RunRequest, Takes } from "./messages.ts";

/** Runs the model that is shown on pictures and sounds: files, camera and microphone. */
export class TryModel {
  readonly #section = byId("try", HTMLElement);
  readonly #button = byId("capture", HTMLButtonElement);
  readonly #video = byId("camera", HTMLVideoElement);
  readonly #range = byId("range", HTMLSelectElement);
  readonly #status = byId("try-status", HTMLElement);
  readonly #time = byId("try-time", HTMLElement);
  readonly #best = byId("best", HTMLElement);
  readonly #worker: Latest<RunRequest, Answered>;
  #file: ModelFile | undefined;
  #number = 0;
  #takes: Takes | undefined;
  /** Whether the worker has the model. */
  #isLoaded = false;
  #stop: Stop | undefined;
  #isStarting = false;

  constructor() {
    const worker = new Worker(new URL("./run-worker.ts", import.meta.url), { type: "module" });
    this.#worker = new Latest<RunRequest, Answered>(
      worker,
      (answer) => {
        if (answer.number !== this.#number) return;
        this.#isLoaded = true;
        this.#show(answer);
      },
      ({ message }) => {
        this.#refuse(message);
      },
    );
    this.#button.addEventListener("click", () => {
      void this.#toggle();
    });
  }

  /** Another model, and what its input takes. */
  open(file: ModelFile, takes: Takes | undefined): void {
    if (file === this.#file) return;
    this.#end();
    this.#file = file;
    this.#number++;
    this.#takes = takes;
    this.#isLoaded = false;
    this.#section.hidden = takes === undefined;
    this.#button.hidden = !canCapture();
    this.#label();
    byId("range-choice", HTMLElement).hidden = takes !== "picture";
    this.#time.textContent = "";
    this.#best.replaceChildren();
    this.#status.textContent =
      takes === "picture"
        ? "Drop a picture on the page, or choose one above."
        : "Drop a .wav file on the page.";
  }

  /** Runs the model on a picture or a WAV file; false if it is neither. */
  async take(file: File): Promise<boolean> {
    const kind = file.type.startsWith("image/") ? "picture" : /\.wav$/i.test(file.name) ? "sound" : undefined;
    if (kind === undefined) return false;
    this.#end();
    this.#section.hidden = false;
    if (this.#takes !== kind) {
      this.#refuse(`the model takes no ${kind}`);
      return true;
    }
    try {
      this.#send(
        kind === "picture" ? await picture(file) : readWav(new Uint8Array(await file.arrayBuffer())),
      );
    } catch (error) {
      this.#refuse(`${file.name} could not be read: ${textOf(error)}`);
    }
    return true;
  }

  async #toggle(): Promise<void> {
    if (this.#isStarting) return;
    if (this.#stop !== undefined) {
      this.#end();
      return;
    }
    const [number, isPicture] = [this.#number, this.#takes === "picture"];
    const send = (given: Given): void => {
      if (number === this.#number) this.#send(given);
    };
    // The button is not disabled meanwhile: that would take the keyboard's focus away.
    this.#isStarting = true;
    try {
      const stop = await (isPicture ? watchCamera(this.#video, send) : listen(send));
      if (number === this.#number) this.#stop = stop;
      else stop();
      this.#video.hidden = !isPicture || this.#stop === undefined;
    } catch (error) {
      this.#refuse(textOf(error));
    }
    this.#isStarting = false;
    this.#label();
  }

  #send(given: Given): void {
    const range = this.#range.value === "" ? undefined : (this.#range.value as Range);
    this.#worker.send({ number: this.#number, model: this.#isLoaded ? undefined : this.#file, given, range });
  }

  #end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#video.hidden = true;
    this.#label();
  }

  #label(): void {
    const device = this.#takes === "sound" ? "microphone" : "camera";
    this.#button.textContent = `${this.#stop === undefined ? "Use" : "Stop"} the ${device}`;
  }

  #show({ best, ms }: Answered): void {
    this.#status.textContent = "";
    // Several times a second: no text that is read out.
    this.#time.textContent = `one inference: ${duration(ms)}`;
    this.#best.replaceChildren(
      ...best.map(({ index, score }) =>
        element(
          "li",
          "",
          element("span", "", `class ${index}`),
          element("span", "number", score.toPrecision(3)),
        ),
      ),
    );
  }

  #refuse(message: string): void {
    this.#time.textContent = "";
    this.#best.replaceChildren();
    this.#status.textContent = message;
  }
}

async function picture(file: File): Promise<ImageData> {
  const bitmap = await createImageBitmap(file);
  try {
    return pixelsOf(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
