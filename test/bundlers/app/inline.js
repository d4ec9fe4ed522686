import { load } from "thimble";
import { answer } from "./answer.js";
import { url } from "./model.js";

load(url).then(
  (model) => (globalThis.answered = answer(model)),
  (error) => (globalThis.answered = String(error)),
);
