'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import type { PaymentStatus } from '@/lib/payments/status'
import type { PaymentSummary } from '@/lib/payments/views'
import { PAYMENT_WORDS } from './status-words'

const MOST_AT_ONCE = 3
const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 20_000
const DEADLINE_MS = 10_000

/** Something else than this page will move these on: a bank, our server, another window of the customer's. */
const MOVING: readonly PaymentStatus[] = [
  'creating',
  'unknown',
  'processing',
  'requires_action',
  'requires_capture',
]

type LivePaymentsProps = { payments: Pick<PaymentSummary, 'id' | 'status'>[] }

/** Looks after payments in progress, and has the page drawn anew when one has moved on. Only while somebody can see it. */
export function LivePayments({ payments }: LivePaymentsProps) {
  const router = useRouter()
  const [news, setNews] = useState('')
  const watched = payments.filter(({ status }) => MOVING.includes(status)).slice(0, MOST_AT_ONCE)
  const known = JSON.stringify(watched.map(({ id, status }) => [id, status]))

  useEffect(() => {
    const before: [string, PaymentStatus][] = JSON.parse(known)
    if (before.length === 0) return
    let stopped = false
    let pause = FIRST_PAUSE_MS
    let timer = setTimeout(look, pause)

    async function look() {
      if (document.visibilityState === 'visible') {
        const now = await Promise.all(before.map(([id]) => statusOf(id)))
        if (stopped) return
        const moved = now.find((status, index) => status && status !== before[index]?.[1])
        if (moved) {
          setNews(`A payment has changed: ${PAYMENT_WORDS[moved].word}.`)
          router.refresh()
          return
        }
      }
      pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)
      timer = setTimeout(look, pause)
    }

    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [known, router])

  return (
    <p role="status" className="sr-only">
      {news}
    </p>
  )
}

/** Null where there was no answer; the next look may have one. */
async function statusOf(id: string): Promise<PaymentStatus | null> {
  try {
    const response = await fetch(`/api/payments/${id}`, {
      cache: 'no-store',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    if (!response.ok) return null
    const { payment }: { payment: PaymentSummary } = await response.json()
    return payment.status
  } catch {
    return null
  }
}
