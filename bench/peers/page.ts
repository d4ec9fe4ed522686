import { timeLimits } from "#internal/cli/limit-loops";
import { provesVariant } from "thimble";
import type { MeasureInPage } from "./chromium.ts";
import { measureModel } from "./measure.ts";
import type { Host } from "./peer.ts";
import { startPeers } from "./peers.ts";

const asset = (path: string): string => new URL(`node_modules/${path}`, location.href).href;

const host: Host = {
  runtime: "browser",
  asset,
  loadScript: (path) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = path;
      script.onload = () => {
        resolve();
      };
      script.onerror = () => {
        reject(new Error(`cannot load ${path}`));
      };
      document.head.append(script);
    }),
  importModule: (path) => import(/* @vite-ignore */ asset(path)),
  readBytes: async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer()),
};

const variant = (await provesVariant("relaxed")) ? "relaxed" : "simd";
// What LiteRT.js takes by itself in Chromium, which has had relaxed SIMD since its version 114.
const peers = await startPeers(host, "relaxed");

const limits = new WebAssembly.Module(
  await host.readBytes(new URL(`../../dist/wasm/limits-${variant}.wasm`, location.href).href),
);

const measure: MeasureInPage = async ({ name, base64 }) => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const rows = await measureModel({ name, bytes }, variant, peers);
  const { gigahertz, macsPerCycle } = timeLimits(limits, variant);
  return { rows, limit: gigahertz * macsPerCycle };
};
Object.assign(window, { measure });
