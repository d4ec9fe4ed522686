export function mean(record: usize): void {
  unreachable();
}
