import { describe, expect, test } from "vitest";
import type { Variant } from "../../src/index.ts";
import { load, provesVariant, VARIANTS } from "../../src/index.ts";
import type { Golden } from "../shared.ts";
import type { GoldenRequest, GoldenResult } from "./check-goldens.ts";
import { checkGoldens } from "./check-goldens.ts";

/** Where the test server has the shared data; empty without it. Set by vitest.browser.config.ts. */
declare const SHARED_URL: string;

const MODELS = [
  "ad01_int8",
  "hello_world_int8",
  "ic_resnet8_int8",
  "kws_dscnn_int8",
  "mcunet_vww",
  "mcunetv2_large",
  "micro_speech_int8",
  "mnist_lstm_int8",
  "person_detect_int8",
  "vww_mobilenet_int8",
];

const proved = new Map(await Promise.all(VARIANTS.map(async (v) => [v, await provesVariant(v)] as const)));

async function request(name: string, variant: Variant, asItStands: boolean): Promise<GoldenRequest> {
  const [model, golden] = await Promise.all([
    fetch(`${SHARED_URL}/models/${name}.tflite`).then((response) => response.arrayBuffer()),
    fetch(`${SHARED_URL}/golden/${name}.json`).then((response) => response.json() as Promise<Golden>),
  ]);
  return { model: new Uint8Array(model), golden, variant, asItStands };
}

function inWorker(message: GoldenRequest): Promise<GoldenResult> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<GoldenResult>) => {
      resolve(event.data);
      worker.terminate();
    };
    worker.onerror = (event) => {
      reject(new Error(event.message));
    };
    worker.postMessage(message);
  });
}

describe.skipIf(SHARED_URL === "").each(MODELS)("%s in a page", (name) => {
  describe.each(VARIANTS)("%s", (variant) => {
    test.skipIf(proved.get(variant) !== true).each([true, false])("as it stands: %s", async (asItStands) => {
      const { compared, difference } = await checkGoldens(await request(name, variant, asItStands));
      expect(difference).toBeUndefined();
      expect(compared).toBeGreaterThan(6);
    });
  });
});

test.skipIf(SHARED_URL === "")("the same in a worker", async () => {
  const { compared, difference } = await inWorker(await request("kws_dscnn_int8", "simd", true));
  expect(difference).toBeUndefined();
  expect(compared).toBe(6 * 13);
});

test.skipIf(SHARED_URL === "")("models load from a URL and from a Response", async () => {
  const url = `${SHARED_URL}/models/hello_world_int8.tflite`;
  const fromUrl = await load(new URL(url, location.href));
  const fromResponse = await load(await fetch(url));
  const input = Int8Array.of(77);
  expect([...fromUrl.run(input)]).toEqual([...fromResponse.run(input)]);
  await expect(load(new URL("/nowhere.tflite", location.href))).rejects.toMatchObject({ name: /Error/ });
});
