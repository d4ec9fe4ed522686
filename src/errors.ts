/**
 * Every error thimble throws on purpose. `code` is stable and meant for programs; the message says what is wrong,
 * where, and how to mend it.
 */
export class ThimbleError extends Error {
  override readonly name: string = "ThimbleError";
  readonly code: string;

  // Not ErrorOptions, which projects of an older `lib` do not have.
  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The file is damaged or contradicts itself. */
export class ModelError extends ThimbleError {
  override readonly name = "ModelError";
}

/** The model is valid, but uses something thimble does not run yet. */
export class UnsupportedError extends ThimbleError {
  override readonly name = "UnsupportedError";
}

/** The model does not fit the SRAM budget, or the engine has no memory left to give. */
export class MemoryError extends ThimbleError {
  override readonly name = "MemoryError";
  /** With the code `arena-overflow`: the bytes of SRAM that would be enough. */
  readonly neededBytes: number | undefined;

  constructor(
    code: string,
    message: string,
    options: { readonly cause?: unknown; readonly neededBytes?: number } = {},
  ) {
    super(code, message, options);
    this.neededBytes = options.neededBytes;
  }
}

/** Wrong use of the API: an input of the wrong length or type, an unknown option. */
export class InputError extends ThimbleError {
  override readonly name = "InputError";
}

/** The kernels could not run: an engine without a feature, an image of another variant, a damaged plan. */
export class ExecutionError extends ThimbleError {
  override readonly name = "ExecutionError";
}
