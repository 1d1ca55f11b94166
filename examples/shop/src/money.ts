/** `1500` as `KES 1,500`. */
export function formatKes(amount: number): string {
  return `KES ${amount.toLocaleString('en-KE')}`
}
