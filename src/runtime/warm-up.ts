import type { Image } from "../emit/image.ts";
import { arrayOf } from "../plan/arrays.ts";
import type { Kernels } from "./kernels.ts";
import { startSession } from "./session.ts";

/** Milliseconds in which V8's optimising compiler replaces the code of all kernels that matter: docs/performance.md. */
const WARM_UP_TIME = 50;

/** Milliseconds after which other tasks get a turn. */
const TURN_TIME = 4;

/**
 * Runs an image on zeros, in an instance of its own, for so long that the engine compiles the kernels with its optimising
 * compiler. All instances of a variant share that code, and nothing else.
 * @throws ExecutionError, MemoryError as `startSession`
 */
export async function warmUp(kernels: Kernels, image: Image): Promise<void> {
  const model = await startSession(kernels, image);
  const zeros = model.inputs.map(({ type, length }) => arrayOf(type, length));
  const end = Date.now() + WARM_UP_TIME;
  do {
    const turn = Date.now();
    do model.run(zeros);
    while (Date.now() - turn < TURN_TIME);
    await nextTurn();
  } while (Date.now() < end);
}

/** Where there are no timers (audio worklets), microtasks have to do. */
async function nextTurn(): Promise<void> {
  if (typeof setTimeout === "function") await new Promise((resolve) => setTimeout(resolve));
}
