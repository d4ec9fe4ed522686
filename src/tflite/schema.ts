/** Field ids and codes of the .tflite schema (version 3) for the tables that are read and written. */

export enum ModelField {
  version = 0,
  operatorCodes = 1,
  subgraphs = 2,
  buffers = 4,
}

export enum OperatorCodeField {
  deprecatedBuiltinCode = 0,
  customCode = 1,
  builtinCode = 3,
}

export enum SubGraphField {
  tensors = 0,
  inputs = 1,
  outputs = 2,
  operators = 3,
}

export enum TensorField {
  shape = 0,
  type = 1,
  buffer = 2,
  name = 3,
  quantization = 4,
  isVariable = 5,
  sparsity = 6,
}

export enum QuantizationField {
  scale = 2,
  zeroPoint = 3,
  detailsType = 4,
  quantizedDimension = 6,
}

export enum OperatorField {
  opcodeIndex = 0,
  inputs = 1,
  outputs = 2,
  builtinOptions = 4,
}

export enum BufferField {
  data = 0,
  offset = 1,
  size = 2,
}

/** BuiltinOperator of custom operators. */
export const CUSTOM = 32;

/** Code of an operator's options in the BuiltinOptions union, by BuiltinOperator code up to BROADCAST_TO; 0 where it has none. */
export const OPTIONS_TYPES: readonly number[] = (
  "11 5 10 1 2 94 38 0 0 8 0 12 5 13 0 4 14 5 21 0 0 0 17 15 7 9 19 6 0 3 18 16 0 20 22 31 23 24 25 26 27 28 " +
  "29 30 71 32 70 33 34 35 36 0 69 37 0 39 40 39 41 42 43 44 45 46 47 48 0 49 50 51 52 53 54 0 27 0 0 55 56 " +
  "57 58 27 27 59 60 61 62 63 64 27 65 27 66 67 68 72 73 74 75 76 77 78 79 80 0 81 82 83 84 85 86 0 87 88 89 " +
  "90 0 91 92 93 95 96 97 98 99 100 101 0 102 103 104"
)
  .split(" ")
  .map(Number);

/** TensorType by code. */
export const TENSOR_TYPES: readonly string[] = (
  "float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 resource variant " +
  "uint32 uint16 int4 bfloat16"
).split(" ");

/** BuiltinOperator names by code, for messages. */
const BUILTIN_NAMES: readonly string[] = (
  "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR " +
  "FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION " +
  "LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH " +
  "CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER " +
  "BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE " +
  "BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM " +
  "ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE " +
  "TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK " +
  "LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD " +
  "RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N " +
  "GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE " +
  "NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL " +
  "PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE " +
  "HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE " +
  "ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU " +
  "DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 " +
  "UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT"
).split(" ");

/** Name of a BuiltinOperator code. */
export function builtinName(code: number): string {
  return BUILTIN_NAMES[code] ?? `BUILTIN_${code}`;
}
