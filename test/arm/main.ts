/**
 * The `signed` kernels on Arm, which scripts/test-arm.mjs runs in an emulated Node: every shared model and (not with `--models`) every
 * conformance case against the reference's answers. Prints a line per model, and fails with the first difference.
 */
import { readdirSync } from "node:fs";
import { bestVariant, load, UnsupportedError, type CompileOptions, type Model } from "thimble/asset";
import { goldenInputs, typed } from "../golden-inputs.ts";
import {
  conformanceCases,
  crc32Hex,
  golden,
  hasShared,
  modelBytes,
  modelNames,
  sharedBytes,
  sharedPath,
} from "../shared.ts";

/** The largest model takes longer than all others. */
const TOO_LARGE = ["mcunetv2_large"];

const SCHEDULES: readonly CompileOptions[] = [
  { sram: "unbounded" },
  { schedule: "minimum", sram: 2 ** 20, input: "resident" },
];

function outputsOf(model: Model, inputs: readonly Uint8Array[], types: readonly string[]): string[] {
  const values = inputs.map((bytes, i) => typed(types[i] ?? "", bytes));
  return model.run(values).map(({ buffer, byteOffset, byteLength }) => {
    return crc32Hex(new Uint8Array(buffer, byteOffset, byteLength));
  });
}

function requireEqual(got: readonly string[], wanted: readonly string[], where: string): void {
  if (got.join() !== wanted.join()) throw new Error(`${where}: ${got.join()} instead of ${wanted.join()}`);
}

if (!hasShared) process.exit(2);
const best = await bestVariant();
if (best !== "signed") {
  throw new Error(`the fastest variant of Node ${process.version} on ${process.arch} is ${best}, not signed`);
}

for (const name of modelNames().filter((name) => !TOO_LARGE.includes(name))) {
  const { inputs, runs } = golden(name);
  const types = inputs.map(({ type }) => type);
  for (const options of SCHEDULES) {
    const model = await load(modelBytes(name), { variant: "signed", ...options });
    for (const { seed, kind, outputs } of runs) {
      model.reset();
      const got = outputsOf(model, goldenInputs(seed, kind, inputs), types);
      requireEqual(
        got,
        outputs.map(({ crc32 }) => crc32),
        `${name}, seed ${seed}`,
      );
    }
  }
  console.log(`${name}: ${SCHEDULES.length} schedules, ${runs.length} inputs each, equal`);
}

const operators = process.argv.includes("--models") ? [] : readdirSync(sharedPath("conformance"));
let [cases, refused] = [0, 0];
for (const operator of operators) {
  if (operator.includes(".")) continue;
  for (const { file, inputs, runs, sequence } of conformanceCases(operator)) {
    let model: Model;
    try {
      model = await load(sharedBytes("conformance", operator, file), {
        variant: "signed",
        sram: "unbounded",
      });
    } catch (error) {
      if (!(error instanceof UnsupportedError && error.code === "weight-pairs")) throw error;
      refused++;
      continue;
    }
    cases++;
    for (const { kind, seed = 0, inputs: given, outputs } of runs) {
      if (sequence !== true) model.reset();
      const bytes =
        kind === "explicit"
          ? (given ?? []).map((text) => new Uint8Array(Buffer.from(text, "base64")))
          : goldenInputs(seed, kind, inputs);
      requireEqual(
        outputsOf(
          model,
          bytes,
          inputs.map(({ type }) => type),
        ),
        outputs.map(({ crc32 }) => crc32),
        `${operator}/${file}`,
      );
    }
  }
}
if (operators.length > 0) {
  console.log(`${cases} conformance cases equal, ${refused} refused for pairs of -128`);
  if (cases < 900) throw new Error("these are too few");
}
