'use client'

import { useSyncExternalStore } from 'react'

type InstantProps = {
  at: string
  /** To the second, where several things happen within a minute. */
  precise?: boolean
  className?: string
}

const SHAPE: Intl.DateTimeFormatOptions = {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
}
const PRECISE: Intl.DateTimeFormatOptions = { ...SHAPE, second: '2-digit' }

const never = () => () => {}

/**
 * A moment. The server writes it in UTC, so that its HTML never depends on where it runs; in the browser it becomes
 * the reader's own time, with the exact UTC instant on hover.
 */
export function Instant({ at, precise = false, className }: InstantProps) {
  const date = new Date(at)
  const shape = precise ? PRECISE : SHAPE
  const text = useSyncExternalStore(
    never,
    () => new Intl.DateTimeFormat('en-GB', shape).format(date),
    () => inUtc(date, shape),
  )
  return (
    <time
      dateTime={at}
      title={inUtc(date, PRECISE)}
      className={className ?? 'whitespace-nowrap tabular-nums'}
    >
      {text}
    </time>
  )
}

function inUtc(date: Date, shape: Intl.DateTimeFormatOptions): string {
  return `${new Intl.DateTimeFormat('en-GB', { ...shape, timeZone: 'UTC' }).format(date)} UTC`
}
