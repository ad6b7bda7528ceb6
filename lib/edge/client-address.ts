/**
 * The address a request came from, as the n-th trusted proxy saw it; null when no proxy is trusted, because then every
 * forwarding header is the client's own invention.
 * @param trustedHops how many proxies of ours stand before the app; each appends the address it saw to X-Forwarded-For
 */
export function clientAddress(headers: Headers, trustedHops: number): string | null {
  if (trustedHops === 0) return null
  const seen = (headers.get('x-forwarded-for') ?? '').split(',').map((part) => part.trim())
  const address = seen.at(-trustedHops)
  return address && /^[0-9a-fA-F.:]{3,45}$/.test(address) ? address : null
}

/** What limits count by: an IPv4 address, or the /64 network of an IPv6 one, since a household has a whole /64. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1]) return mapped[1]
  const [head = '', tail = ''] = address.split('::', 2)
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const gap = address.includes('::')
    ? Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
    : []
  const groups = [...left, ...gap, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
  return `${groups.join(':')}::/64`
}

/** Wider than addressKey: the /24 network of an IPv4 address, where an abuser moves about, and the /64 of an IPv6 one. */
export function addressPrefix(address: string): string {
  const key = addressKey(address)
  return key.includes(':') ? key : `${key.split('.').slice(0, 3).join('.')}.0/24`
}
