'use client'

import { useEffect, useState } from 'react'
import { Button, buttonLook } from '@/components/ui/button'
import { Notice } from '@/components/ui/notice'
import type { StartFailure } from './start-payment'

type StartFailureNoticeProps = { failure: StartFailure; orderId?: string; retry: () => void }

/** The payment could not be opened: why, that nothing was charged, and the way on. */
export function StartFailureNotice({ failure, orderId, retry }: StartFailureNoticeProps) {
  switch (failure.kind) {
    case 'wait':
      return <WaitNotice failure={failure} retry={retry} />
    case 'signed-out':
      return (
        <Notice
          urgent
          tone="warn"
          title="You were signed out"
          action={<Button onClick={() => window.location.reload()}>Sign in again</Button>}
        >
          Nothing was charged. Sign in and you come back to this page.
        </Notice>
      )
    case 'no-stripe':
      return (
        <Notice
          urgent
          tone="bad"
          title="The card fields did not load"
          action={<Button onClick={retry}>Try again</Button>}
        >
          Nothing was charged. Check your connection, and let this page load content from Stripe if you block
          it.
        </Notice>
      )
    case 'refused':
      return (
        <Notice
          urgent
          tone="bad"
          title="This order cannot be paid now"
          requestId={failure.requestId}
          action={
            orderId && (
              <a href={`/orders/${orderId}`} className={buttonLook()}>
                Back to the order
              </a>
            )
          }
        >
          {failure.message}
        </Notice>
      )
    case 'unavailable':
      return (
        <Notice
          urgent
          tone="bad"
          title="Paying is not possible right now"
          requestId={failure.requestId}
          action={<Button onClick={retry}>Try again</Button>}
        >
          Nothing was charged. This is on our side and usually over in a minute. Trying again is safe.
        </Notice>
      )
  }
}

type WaitNoticeProps = { failure: Extract<StartFailure, { kind: 'wait' }>; retry: () => void }

function WaitNotice({ failure, retry }: WaitNoticeProps) {
  const [left, setLeft] = useState(failure.seconds)
  const waiting = left > 0

  useEffect(() => {
    if (!waiting) return
    const timer = setInterval(() => setLeft((count) => count - 1), 1000)
    return () => clearInterval(timer)
  }, [waiting])

  return (
    <Notice
      urgent
      tone="warn"
      title="Please wait a little"
      requestId={failure.requestId}
      action={
        <Button onClick={retry} disabled={waiting}>
          {/* The counting is for the eye; read out every second it would be noise. */}
          Try again{waiting && <span aria-hidden="true"> in {shortly(left)}</span>}
        </Button>
      }
    >
      Nothing was charged. {failure.message} You can try again in {inWords(failure.seconds)}.
    </Notice>
  )
}

function shortly(seconds: number): string {
  return seconds > 90 ? `${Math.ceil(seconds / 60)} min` : `${seconds} s`
}

function inWords(seconds: number): string {
  if (seconds > 90) return `${Math.ceil(seconds / 60)} minutes`
  return seconds === 1 ? 'a second' : `${seconds} seconds`
}
