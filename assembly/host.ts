/**
 * The host's side: functions imported from the module "host", under the names that C hosts use.
 * Copies `bytes` from offset `source` of the image's flash to linear memory at `destination`.
 */
export declare function flash_read(destination: usize, source: usize, bytes: usize): void;
