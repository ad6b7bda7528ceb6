'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import { Notice } from '@/components/ui/notice'

const EVERY_MS = 2_000
const TRIES = 30

/** Back from Stripe, before we have heard from it: looks again until the subscription is there. */
export function WaitForSubscription() {
  const router = useRouter()
  const [tries, setTries] = useState(0)
  const waits = tries < TRIES

  useEffect(() => {
    if (!waits) return
    const timer = setInterval(() => {
      router.refresh()
      setTries((count) => count + 1)
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [router, waits])

  return (
    <Notice className="mb-6" title="We are waiting to hear from Stripe">
      <span role="status">
        {waits
          ? 'This usually takes a few seconds. If you did not pay, nothing was charged.'
          : 'It takes longer than usual. You can close this page: your subscription appears here by itself.'}
      </span>
    </Notice>
  )
}
