import { Session } from "node:inspector";

/** Counts which functions of the compiled src/ run, from now on. */
export class Coverage {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  }

  /** Blocks of the engine's coverage that ran, and all; by folder of src/. */
  take(): Map<string, { ran: number; all: number }> {
    const folders = new Map<string, { ran: number; all: number }>();
    // The answer comes before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (_, { result }) => {
      for (const { url, functions } of result) {
        const folder = /\/build\/src\/(?:(\w+)\/)?/.exec(url)?.[1];
        if (folder === undefined) continue;
        const total = folders.get(folder) ?? { ran: 0, all: 0 };
        for (const { ranges } of functions) {
          total.all += ranges.length;
          total.ran += ranges.filter(({ count }) => count > 0).length;
        }
        folders.set(folder, total);
      }
    });
    this.#session.disconnect();
    return folders;
  }
}
