import type { GoldenRequest } from "./check-goldens.ts";
import { checkGoldens } from "./check-goldens.ts";

self.onmessage = (event: MessageEvent<GoldenRequest>) => {
  void checkGoldens(event.data).then((result) => {
    self.postMessage(result);
  });
};
