import type { Model } from "thimble";

export function answer(model: Model): number[];
