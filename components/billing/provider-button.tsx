'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button'
import { Notice } from '@/components/ui/notice'

type ProviderButtonProps = {
  /** Our address that answers with where to go. */
  action: string
  body?: object
  kind?: 'primary' | 'secondary'
  /** Where somebody comes back to who has to sign in first. */
  here: string
  children: React.ReactNode
  className?: string
}

const DEADLINE_MS = 25_000
const NO_ANSWER = 'We had no answer. Nothing was charged; please try again.'

type Failure = { message: string; requestId: string | null }

/** Asks our server for a page of Stripe's, and goes there. */
export function ProviderButton({ action, body, kind, here, children, className }: ProviderButtonProps) {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)

  async function go() {
    if (busy) return
    setBusy(true)
    setFailure(null)
    const answer = await ask(action, body)
    // Busy until the next page is there.
    if (answer.kind === 'page') return window.location.assign(answer.url)
    if (answer.kind === 'signed-out')
      return window.location.assign(`/sign-in?next=${encodeURIComponent(here)}`)
    setFailure(answer)
    setBusy(false)
  }

  return (
    <div className={className}>
      <Button kind={kind ?? 'secondary'} busy={busy} onClick={go} className="w-full sm:w-auto">
        {children}
      </Button>
      {failure && (
        <Notice tone="bad" urgent requestId={failure.requestId} className="mt-3">
          {failure.message}
        </Notice>
      )}
    </div>
  )
}

type Answer = { kind: 'page'; url: string } | { kind: 'signed-out' } | ({ kind: 'failed' } & Failure)

async function ask(action: string, body: object | undefined): Promise<Answer> {
  try {
    const response = await fetch(action, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    const answer = (await response.json()) as {
      url?: string
      error?: { message?: string; requestId?: string }
    }
    if (response.ok && answer.url) return { kind: 'page', url: answer.url }
    if (response.status === 401) return { kind: 'signed-out' }
    return {
      kind: 'failed',
      message: answer.error?.message ?? NO_ANSWER,
      requestId: response.status >= 500 ? (answer.error?.requestId ?? null) : null,
    }
  } catch {
    return { kind: 'failed', message: NO_ANSWER, requestId: null }
  }
}
