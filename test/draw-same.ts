import fc from "fast-check";

/** Draws the same inputs in every run, so that only a change of the code can change an outcome; a seed of one's own draws others. */
fc.configureGlobal({ seed: Number(process.env["THIMBLE_SEED"] ?? 1) });
