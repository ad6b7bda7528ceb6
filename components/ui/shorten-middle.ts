/** `pi_3QxAbCdEfGh8Kq2` → `pi_3QxAb…h8Kq2`. What already fits stays whole. */
export function shortenMiddle(value: string, { head = 8, tail = 5 } = {}): string {
  return value.length <= head + tail + 1 ? value : `${value.slice(0, head)}…${value.slice(-tail)}`
}
