// The smallest page: a compiled image, kernels in files, and no compiler left after tree shaking.
import { loadImage } from "thimble/asset";
import { answer } from "./answer.js";

loadImage("digits.thimble").then(
  (model) => (globalThis.answered = answer(model)),
  (error) => (globalThis.answered = String(error)),
);
