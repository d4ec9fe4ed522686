/**
 * Whether int8 activations are stored as u8 = x ^ 0x80, because the relaxed dot product takes one unsigned operand (x86). The build
 * `signed`, for engines whose dot product takes signed ones (Arm), is told by SIGNED_STORAGE in asconfig.json.
 */
export const UNSIGNED: bool = ASC_FEATURE_RELAXED_SIMD && !SIGNED_STORAGE;
