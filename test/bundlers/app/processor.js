import { load } from "thimble";
import { answer } from "./answer.js";

class Thimble extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    load(processorOptions.model, { warmUp: true }).then(
      (model) => this.port.postMessage(answer(model)),
      (error) => this.port.postMessage(String(error)),
    );
  }

  process() {
    return true;
  }
}

registerProcessor("thimble", Thimble);
