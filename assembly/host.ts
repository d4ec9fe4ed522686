/** Copies `bytes` from offset `source` of the image's flash to linear memory at `destination`. */
@external("host", "flash_read")
export declare function flashRead(destination: usize, source: usize, bytes: usize): void;
