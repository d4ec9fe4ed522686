// Vite and webpack follow this form into packages.
export const url = new URL("thimble/models/digits.tflite", import.meta.url);
