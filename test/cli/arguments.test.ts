import { expect, test } from "vitest";
import { parseArguments, UsageError } from "../../src/cli/arguments.ts";

test.each([
  ["65536", 65536],
  ["64K", 65536],
  ["64k", 65536],
  ["256KiB", 262144],
  ["256kb", 262144],
  ["100b", 100],
  ["1M", 2 ** 20],
  ["1.5M", 1.5 * 2 ** 20],
  ["0.1K", 102],
  ["2G", 2 ** 31],
  ["0.5GiB", 2 ** 29],
])("%s is so many bytes: %d", (text, bytes) => {
  expect(parseArguments(["inspect", "x", "--sram", text]).options.sram).toBe(bytes);
  expect(parseArguments(["inspect", "x", "--budget", text]).budget).toBe(bytes);
});

test.each(["", "0", "0.0001K", "1.5", ".5K", "1.K", "3G", "2.0001G", "1T", "-1", "64 K", "1e3", "K", "none"])(
  "%j is no number of bytes",
  (text) => {
    for (const option of ["--sram", "--budget"]) {
      expect(() => parseArguments(["inspect", "x", `${option}=${text}`])).toThrow(
        new UsageError(
          `${option} takes bytes (65536, 64K, 1.5M; up to 2G)${option === "--sram" ? ' or "unbounded"' : ""}, not "${text}"`,
        ),
      );
    }
  },
);

test.each([
  [["--srm", "64K"], "there is no option --srm; see thimble --help"],
  [["--srm=64K"], "there is no option --srm; see thimble --help"],
  [["-v"], "there is no option -v; see thimble --help"],
  [["--sram"], "Option '--sram <value>' argument missing; see thimble --help"],
  [["--json=yes"], "Option '--json' does not take an argument; see thimble --help"],
])("%j: what is wrong, and where to read on", (options, message) => {
  expect(() => parseArguments(["inspect", "x", ...options])).toThrow(new UsageError(message));
});

test("a value may begin as a number below 0", () => {
  for (const options of [["--range", "-1..1"], ["--range=-1..1"]])
    expect(parseArguments(["run", "x", ...options]).picture).toEqual({ range: "-1..1" });
  expect(parseArguments(["run", "x", "--input", "-1.npy", "y"])).toMatchObject({
    inputs: ["-1.npy"],
    data: ["y"],
  });
  expect(() => parseArguments(["run", "x", "--max-recompute", "-1"])).toThrow(
    new UsageError('--max-recompute takes a share of the model\'s MACs such as 0.15, not "-1"'),
  );
});
