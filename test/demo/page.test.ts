import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright";
import { chromium } from "playwright";
import type { FloatModel } from "thimble";
import { quantize } from "thimble";
import type { PreviewServer } from "vite";
import { preview } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { wavFile } from "../front/wav-file.ts";

// The static files of `npm run build:demo` under the page's own Content-Security-Policy, in real Chromium.

let server: PreviewServer;
let browser: Browser;
let page: Page;
let complaints: string[];

/** Where pictures of the page go, to be looked at. */
const SHOTS = process.env["THIMBLE_SHOTS"];

beforeAll(async () => {
  server = await preview({ configFile: "demo/vite.config.ts", preview: { port: 0 } });
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
  ];
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args });
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1180, height: 900 }, colorScheme: "light" });
  complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", ({ message }) => complaints.push(message));
  await page.goto(server.resolvedUrls?.local[0] ?? "");
  await page.locator(".verdict.fits").waitFor();
});

afterEach(async () => {
  expect(complaints).toEqual([]);
  await page.close();
});

async function shoot(name: string): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/** Drags the mouse over the pad through points of the unit square. */
async function draw(points: readonly (readonly [number, number])[]): Promise<void> {
  const box = await page.locator("#pad").boundingBox();
  if (box === null) throw new Error("the pad is not there");
  const [start] = points;
  if (start === undefined) throw new Error("no points");
  await page.mouse.move(box.x + start[0] * box.width, box.y + start[1] * box.height);
  await page.mouse.down();
  for (const [x, y] of points) {
    await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 8 });
  }
  await page.mouse.up();
}

/** Drops a file on the page as a file manager does. */
async function drop(name: string, bytes: Uint8Array, type = ""): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, values, type }) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(values)], name, { type }));
      return data;
    },
    { name, values: [...bytes], type },
  );
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

/** An input of 24,576 bytes that has no place in 16 KB. */
function large(): Uint8Array {
  const shape = [1, 64, 48, 8];
  const ramp = (length: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => ((i * 7) % 13) / 13 - 0.5);
  const model: FloatModel = {
    inputs: [{ name: "picture", shape }],
    outputs: ["mean"],
    nodes: [
      {
        op: "conv2d",
        name: "convolved",
        input: "picture",
        weights: { shape: [8, 3, 3, 8], data: ramp(8 * 9 * 8) },
        padding: "same",
        activation: "relu",
      },
      { op: "mean", name: "mean", input: "convolved", axes: [1, 2] },
    ],
  };
  return quantize(model, [ramp(64 * 48 * 8)]);
}

test("a drawn stroke is recognised, and cleared again", async () => {
  await draw([
    [0.3, 0.22],
    [0.7, 0.22],
    [0.45, 0.82],
  ]);
  await expect.poll(() => page.locator("#answer").textContent()).toBe("7");
  expect(await page.locator("#scores .best").textContent()).toMatch(/^7\d+ %$/);
  expect(await page.locator("#digit-figures").textContent()).toMatch(
    /one inference[\d.]+ [µm]s.*RAM[\d,]+ bytes/,
  );
  await shoot("light");
  await page.locator("#clear").click();
  await expect.poll(() => page.locator("#answer").textContent()).toBe("–");
});

test("the keyboard draws: every digit is read as itself, or nearly all", async () => {
  await page.locator("#pad").focus();
  let right = 0;
  for (let digit = 0; digit < 10; digit++) {
    await page.keyboard.press(String(digit));
    await page.waitForTimeout(100);
    if ((await page.locator("#answer").textContent()) === String(digit)) right++;
  }
  expect(right).toBeGreaterThanOrEqual(8);
});

test("the theme can be chosen, and stays", async () => {
  await page.locator("#theme").click();
  const ground = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  expect(await ground()).toBe("rgb(15, 18, 21)");
  await page.reload();
  expect(await ground()).toBe("rgb(15, 18, 21)");
  await page.locator("#example").click();
  await page.locator("#scores .best").waitFor();
  await page.locator(".verdict.fits").waitFor();
  await shoot("dark");
});

test("a dropped model is planned; a budget that is too small says why, a larger one fits", async () => {
  await drop("large.tflite", large());
  await expect.poll(() => page.locator("#model-name").textContent()).toContain("large.tflite");
  await expect.poll(() => page.locator("#operators").textContent()).toContain("convolved");
  expect(await page.locator("#operators").textContent()).toContain("1×64×48×8");
  await page.locator("#budget").fill("0");
  await page.locator(".verdict.fails").waitFor();
  const why = (await page.locator("#verdict").textContent()) ?? "";
  expect(why).toContain("arena-overflow");
  const needed = Number(/needs (\d+) bytes of SRAM, the budget is 16384/.exec(why)?.[1]);
  expect(needed).toBeGreaterThan(24_576);
  expect(why).toContain(`${needed.toLocaleString("en-US")} bytes are needed`);
  const width = (): Promise<number> =>
    page.locator("#map").evaluate((map) => (map as HTMLImageElement).naturalWidth);
  await expect.poll(width).toBeGreaterThan(0);
  await shoot("over-budget");
  await page.locator("#budget").fill("8");
  await page.locator(".verdict.fits").waitFor();
  expect(await page.locator("#budget-text").textContent()).toBe("64 KB");
});

test("schedules differ in their bytes", async () => {
  const ram = (): Promise<string | null> => page.locator("#plan-figures dd").first().textContent();
  const auto = await ram();
  await page.locator("#schedule").selectOption("minimum");
  await expect.poll(ram).not.toBe(auto);
});

test("the variants and steps are measured, with the same bits", async () => {
  await page.locator("#bench").click();
  await page.locator("#variants").waitFor();
  const rows = await page.locator("#variants tbody tr").allTextContents();
  expect(rows).toHaveLength(3);
  for (const row of rows.slice(0, 2)) expect(row).toMatch(/^(mcu|simd)[\d.]+ [µm]s[\d.]+×the same$/);
  expect(rows[2]).toMatch(/the same$|does not prove it$/);
  for (const time of await page.locator("#operators [data-step]").allTextContents())
    expect(time).toMatch(/s$/);
  await shoot("bench");
});

/** The mean of keywords' features: a model that hears. */
function hearing(): Uint8Array {
  const shape = [1, 49, 40, 1];
  const model: FloatModel = {
    inputs: [{ name: "features", shape }],
    outputs: ["mean"],
    nodes: [{ op: "mean", name: "mean", input: "features", axes: [1, 2] }],
  };
  return quantize(model, [Float32Array.from({ length: 49 * 40 }, (_, i) => (26 * i) / 1960)]);
}

test("a dropped picture is classified", async () => {
  await page.locator("#pad").focus();
  await page.keyboard.press("7");
  await expect.poll(() => page.locator("#answer").textContent()).toBe("7");
  const url = await page.locator("#seen").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  await drop("seven.png", Buffer.from(url.split(",")[1] ?? "", "base64"), "image/png");
  await expect.poll(() => page.locator("#best li").first().textContent()).toMatch(/^class 70\.9/);
  expect(await page.locator("#best li").count()).toBe(5);
  await shoot("picture");
  await drop("broken.png", Buffer.from("no picture"), "image/png");
  await expect
    .poll(() => page.locator("#try-status").textContent())
    .toContain("broken.png could not be read");
  await drop("word.wav", Buffer.from("no sound"));
  await expect.poll(() => page.locator("#try-status").textContent()).toContain("takes no sound");
});

test("the camera is classified, by keyboard, until it is stopped", async () => {
  await page.locator("#capture").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("#best li").count()).toBe(5);
  expect(await page.locator("#camera").isVisible()).toBe(true);
  await shoot("camera");
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await shoot("camera-phone");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("#capture").textContent()).toBe("Use the camera");
  expect(await page.locator("#camera").isVisible()).toBe(false);
});

test("a model of keywords hears the microphone, and WAV files", async () => {
  await drop("hearing.tflite", hearing());
  await expect.poll(() => page.locator("#capture").textContent()).toBe("Use the microphone");
  expect(await page.locator("#range-choice").isVisible()).toBe(false);
  const score = async (): Promise<number> =>
    Number((await page.locator("#best .number").allTextContents())[0] ?? NaN);
  // Chromium's device beeps.
  await page.locator("#capture").click();
  await expect.poll(score).toBeGreaterThan(0.5);
  await shoot("microphone");
  await page.locator("#capture").click();
  const samples = Array.from({ length: 16000 }, () => 0);
  await drop("silence.wav", wavFile(samples, { rate: 16000, channels: 1, bits: 16 }));
  await expect.poll(score).toBeLessThan(0.2);
  await drop("broken.wav", Buffer.from("no sound"));
  await expect.poll(() => page.locator("#try-status").textContent()).toContain("RIFF");
});

test("garbage is refused with its error", async () => {
  await drop("garbage.tflite", readFileSync("LICENSE"));
  await page.locator(".verdict.fails").waitFor();
  expect(await page.locator("#verdict").textContent()).toContain("ModelError");
  expect(await page.locator("#verdict code").textContent()).toMatch(/^[a-z-]+$/);
  expect(await page.locator("#plan").isVisible()).toBe(false);
  await shoot("error");
});

test("a float model is refused with what to do", async () => {
  await drop("float.tflite", readFileSync("models/digits/digits-float.tflite"));
  await page.locator(".verdict.fails").waitFor();
  expect(await page.locator("#verdict").textContent()).toContain("UnsupportedError");
});

test("on a phone nothing is wider than the screen", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator("#example").click();
  await page.locator("#scores .best").waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await shoot("phone");
});
