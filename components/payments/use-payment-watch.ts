'use client'

import { useCallback, useEffect, useState } from 'react'
import { isFinal } from '@/lib/payments/status'
import type { PaymentDetail } from '@/lib/payments/views'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 3_000
const FIRST_SYNC_AFTER_MS = 2_500
const SYNC_EVERY_MS = 15_000
const GIVE_UP_AFTER_MS = 180_000
const DEADLINE_MS = 15_000

export type PaymentWatch = {
  payment: PaymentDetail
  /** Our server has asked Stripe since this page opened, so a "not paid" is no longer just a late message. */
  verified: boolean
  /** Several questions in a row went unanswered. */
  unreachable: boolean
  /** Stopped asking; `again` starts over. */
  gaveUp: boolean
  again: () => void
}

/**
 * Ask our server how a payment stands until it has ended. Usually the webhook has told it already; where it has not,
 * the server is asked to look at Stripe itself. This side only shows what it is told.
 */
export function usePaymentWatch(initial: PaymentDetail): PaymentWatch {
  const [payment, setPayment] = useState(initial)
  const [verified, setVerified] = useState(false)
  const [unreachable, setUnreachable] = useState(false)
  const [gaveUp, setGaveUp] = useState(false)
  const [round, setRound] = useState(0)
  const { id } = initial
  const endedBefore = isFinal(initial.status)

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` starts the watch over
  useEffect(() => {
    if (endedBefore) return
    let stopped = false
    let timer: ReturnType<typeof setTimeout>
    let pause = FIRST_PAUSE_MS
    let misses = 0
    const startedAt = Date.now()
    let nextSyncAt = startedAt + FIRST_SYNC_AFTER_MS
    let asked = false

    async function look() {
      const sync = Date.now() >= nextSyncAt
      if (sync) nextSyncAt = Date.now() + SYNC_EVERY_MS
      const answer = await ask(id, sync)
      if (stopped) return

      if (answer) {
        misses = 0
        asked ||= sync
        setPayment(answer)
        setVerified(asked)
        setUnreachable(false)
        if (hasEnded(answer, asked)) return
      } else {
        misses += 1
        setUnreachable(misses >= 2)
      }
      if (Date.now() - startedAt > GIVE_UP_AFTER_MS) setGaveUp(true)
      else later()
    }

    function later() {
      // The first question to Stripe is worth being on time for.
      const untilSync = asked
        ? Number.POSITIVE_INFINITY
        : Math.max(nextSyncAt - Date.now(), FIRST_PAUSE_MS / 2)
      timer = setTimeout(look, Math.min(pause, untilSync))
      pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)
    }

    later()
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [id, endedBefore, round])

  const again = useCallback(() => {
    setGaveUp(false)
    setRound((count) => count + 1)
  }, [])

  return { payment, verified, unreachable, gaveUp, again }
}

/** Nothing more will happen without the customer. */
function hasEnded(payment: PaymentDetail, verified: boolean): boolean {
  if (isFinal(payment.status)) return true
  return (
    verified && (payment.status === 'requires_payment_method' || payment.status === 'requires_confirmation')
  )
}

async function ask(id: string, sync: boolean): Promise<PaymentDetail | null> {
  try {
    const response = await fetch(sync ? `/api/payments/${id}/sync` : `/api/payments/${id}`, {
      method: sync ? 'POST' : 'GET',
      cache: 'no-store',
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    // Signed out meanwhile: the page itself knows the way to sign in and back.
    if (response.status === 401) window.location.reload()
    if (!response.ok) return null
    const body: { payment: PaymentDetail } = await response.json()
    return body.payment
  } catch {
    return null
  }
}
