/** Copies `bytes` from offset `source` of the image's flash to linear memory at `destination`. */
@external("env", "flash_read")
export declare function flashRead(destination: usize, source: usize, bytes: usize): void;
