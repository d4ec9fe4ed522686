import type { Answer } from "./answer.ts";
import type { Failure } from "./messages.ts";

/**
 * Sends a worker one request at a time. While it is busy only the newest waits, so that neither a stroke nor a slider leaves a
 * queue behind.
 */
export class Latest<Request, Result> {
  readonly #worker: Worker;
  #waiting: Request | undefined;
  #isBusy = false;

  constructor(
    worker: Worker,
    done: (result: Result, isNewest: boolean) => void,
    failed: (failure: Failure) => void,
  ) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<Answer<Result>>) => {
      this.#isBusy = false;
      const next = this.#waiting;
      this.#waiting = undefined;
      if (next !== undefined) this.send(next);
      if ("failure" in data) failed(data.failure);
      else done(data.result, next === undefined);
    });
    worker.addEventListener("error", ({ message }) => {
      failed({
        name: "Error",
        code: "",
        message: message || "the worker did not start",
        neededBytes: undefined,
      });
    });
  }

  send(request: Request): void {
    if (this.#isBusy) {
      this.#waiting = request;
      return;
    }
    this.#isBusy = true;
    this.#worker.postMessage(request);
  }
}
