import { cpus } from "node:os";

/** Engine and CPU, for the head of every table. */
export function machine(): string {
  const [cpu] = cpus();
  return `node ${process.versions.node} (V8 ${process.versions.v8}), ${cpu?.model ?? "unknown CPU"}, ${process.platform} ${process.arch}`;
}
