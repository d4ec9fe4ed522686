import { loadImage } from "thimble/runtime";
import { answer } from "./answer.js";

loadImage("digits.thimble").then(
  (model) => (globalThis.answered = answer(model)),
  (error) => (globalThis.answered = String(error)),
);
