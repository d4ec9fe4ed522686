/**
 * What a plan is to be: whole layers ("layer"), as few bytes as possible ("minimum"), or the fastest that fits the budget
 * ("auto").
 */
export type Schedule = "auto" | "layer" | "minimum";

/** All of them. */
export const SCHEDULES: readonly Schedule[] = ["auto", "layer", "minimum"];
