/** The host's side: functions imported from the module "host", under the names that C hosts use. */

/** Copies `bytes` from offset `source` of the image's flash to linear memory at `destination`. */
export declare function flash_read(destination: usize, source: usize, bytes: usize): void;

/** Writes row `row` of the model's input number `input`, int8 or float32 as the model has it, to linear memory at `destination`. */
export declare function input_row(input: i32, row: i32, destination: usize): void;
