export function depthwiseConv2d(record: usize): void {
  unreachable();
}
