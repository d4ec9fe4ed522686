/** The scores of one fixed picture: what every cell of the matrix must agree on. */
export function answer(model) {
  const picture = Int8Array.from({ length: model.inputs[0].length }, (_, i) => (i * 37) % 256);
  return [...model.run(picture)];
}
