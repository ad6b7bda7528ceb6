/** A bucket of requests per name and client address, refilled evenly over five minutes, as hosted Auth has. */
export type Throttle = { take(name: string, address: string, capacity: number): boolean }

const REFILL_MS = 5 * 60_000

export function createThrottle(now: () => number = Date.now): Throttle {
  const buckets = new Map<string, { left: number; at: number }>()
  return {
    take(name, address, capacity) {
      const key = `${name} ${address}`
      const bucket = buckets.get(key) ?? { left: capacity, at: now() }
      const refilled = ((now() - bucket.at) / REFILL_MS) * capacity
      bucket.left = Math.min(capacity, bucket.left + refilled)
      bucket.at = now()
      buckets.set(key, bucket)
      if (bucket.left < 1) return false
      bucket.left -= 1
      return true
    },
  }
}
