import { buildKernels } from "./kernel-harness.ts";

export default function setup(): void {
  buildKernels();
}
