'use client'

import { useSyncExternalStore } from 'react'

type InstantProps = { at: string; className?: string }

const SHAPE: Intl.DateTimeFormatOptions = {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
}
const EXACT: Intl.DateTimeFormatOptions = { ...SHAPE, second: '2-digit', timeZone: 'UTC' }

const never = () => () => {}

/**
 * A moment. The server writes it in UTC, so that its HTML never depends on where it runs; in the browser it becomes
 * the reader's own time, with the exact UTC instant on hover.
 */
export function Instant({ at, className }: InstantProps) {
  const date = new Date(at)
  const exact = `${new Intl.DateTimeFormat('en-GB', EXACT).format(date)} UTC`
  const text = useSyncExternalStore(
    never,
    () => new Intl.DateTimeFormat('en-GB', SHAPE).format(date),
    () => `${new Intl.DateTimeFormat('en-GB', { ...SHAPE, timeZone: 'UTC' }).format(date)} UTC`,
  )
  return (
    <time dateTime={at} title={exact} className={className ?? 'whitespace-nowrap tabular-nums'}>
      {text}
    </time>
  )
}
