export type Expiry = 'valid' | 'soon' | 'expired'

const SOON_DAYS = 60
const DAY_MS = 86_400_000

/** A card is good through the last day of its month. */
export function expiryOf({ expMonth, expYear }: { expMonth: number; expYear: number }, now: Date): Expiry {
  const endsAt = Date.UTC(expYear, expMonth, 1)
  if (now.getTime() >= endsAt) return 'expired'
  return endsAt - now.getTime() <= SOON_DAYS * DAY_MS ? 'soon' : 'valid'
}

/** Good today, and not beyond the end of next month: when its owner is told by mail. */
export function endsByNextMonth(
  { expMonth, expYear }: { expMonth: number; expYear: number },
  now: Date,
): boolean {
  const monthsLeft = (expYear - now.getUTCFullYear()) * 12 + expMonth - (now.getUTCMonth() + 1)
  return monthsLeft === 0 || monthsLeft === 1
}
