export type Interval = { interval: string; count: number }

const SECONDS_PER_DAY = 24 * 60 * 60

/** The end of the period that holds `time`: the first of the anchor's dates after it. All in unix seconds. */
export function periodEndAfter(time: number, anchor: number, { interval, count }: Interval): number {
  for (let step = 1; ; step++) {
    const end = addIntervals(anchor, interval, count * step)
    if (end > time) return end
  }
}

/** A date that a month does not have is its last day: January 31 is followed by February 28, and then by March 31. */
export function addIntervals(anchor: number, interval: string, count: number): number {
  if (interval === 'day') return anchor + count * SECONDS_PER_DAY
  if (interval === 'week') return anchor + count * 7 * SECONDS_PER_DAY
  const months = interval === 'year' ? count * 12 : count
  const date = new Date(anchor * 1000)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, daysInMonth))
  return Math.floor(date.getTime() / 1000)
}

export const days = (count: number): number => count * SECONDS_PER_DAY
