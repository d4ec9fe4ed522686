import { failureOf } from "./failure.ts";
import type { Failure } from "./messages.ts";

/** What a worker posts for each request, in the order of the requests. */
export type Answer<Result> = { readonly result: Result } | { readonly failure: Failure };

/** In a worker: answers every message with what `handle` makes of it. What comes is what `Latest` sends there. */
export function answer(handle: (request: never) => Promise<unknown>): void {
  addEventListener("message", ({ data }: MessageEvent) => {
    handle(data as never).then(
      (result) => {
        postMessage({ result } satisfies Answer<unknown>);
      },
      (error: unknown) => {
        postMessage({ failure: failureOf(error) } satisfies Answer<unknown>);
      },
    );
  });
}
