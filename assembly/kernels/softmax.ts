export function softmax(record: usize): void {
  unreachable();
}
