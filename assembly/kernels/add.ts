export function add(record: usize): void {
  unreachable();
}
