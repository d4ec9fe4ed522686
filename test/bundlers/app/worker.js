import { load } from "thimble";
import { answer } from "./answer.js";
import { url } from "./model.js";

load(url).then(
  (model) => globalThis.postMessage(answer(model)),
  (error) => globalThis.postMessage(String(error)),
);
