/** Where the page finds the model that the package carries. */
export { default as DIGITS_URL } from "../models/digits/digits.tflite?url";
