export function transpose(record: usize): void {
  unreachable();
}
