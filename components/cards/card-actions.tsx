'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useRef, useState, useTransition } from 'react'
import { Button } from '@/components/ui/button'
import { Notice } from '@/components/ui/notice'
import type { SavedCard } from '@/lib/payment-methods/views'
import { changeCard } from './change-card'

/** What can be done with a saved card. Removing it is asked for twice: it cannot be taken back. */
export function CardActions({ card }: { card: SavedCard }) {
  const router = useRouter()
  const [asking, setAsking] = useState(false)
  const [busy, setBusy] = useState(false)
  const [redrawing, startRedrawing] = useTransition()
  const [failure, setFailure] = useState<string | null>(null)
  const keep = useRef<HTMLButtonElement>(null)
  const remove = useRef<HTMLButtonElement>(null)
  const wasAsking = useRef(false)

  useEffect(() => {
    // Whoever goes by keyboard stays where the question is, and comes back from it.
    if (asking) keep.current?.focus()
    else if (wasAsking.current) remove.current?.focus()
    wasAsking.current = asking
  }, [asking])

  async function change(kind: 'default' | 'remove') {
    setBusy(true)
    setFailure(null)
    const problem = await changeCard(card.id, kind)
    setBusy(false)
    if (problem) setFailure(problem)
    else startRedrawing(() => router.refresh())
  }

  const waiting = busy || redrawing
  const name = `card ending in ${card.last4}`
  return (
    <>
      {asking ? (
        <fieldset className="flex min-w-0 flex-wrap items-center gap-2">
          <legend className="sr-only">Remove the {name}</legend>
          <span className="text-14 text-ink-soft">Remove for good?</span>
          <Button ref={keep} onClick={() => setAsking(false)} disabled={waiting}>
            Keep
          </Button>
          <Button onClick={() => change('remove')} busy={waiting}>
            Remove
          </Button>
        </fieldset>
      ) : (
        <div className="-mx-4 flex flex-wrap sm:-mr-4 sm:ml-0">
          {!card.isDefault && card.expiry !== 'expired' && (
            <Button kind="quiet" onClick={() => change('default')} busy={waiting}>
              Make default<span className="sr-only">: {name}</span>
            </Button>
          )}
          <Button ref={remove} kind="quiet" onClick={() => setAsking(true)} disabled={waiting}>
            Remove<span className="sr-only"> {name}</span>
          </Button>
        </div>
      )}
      {failure && (
        <Notice tone="bad" urgent className="mt-2 w-full">
          {failure}
        </Notice>
      )}
    </>
  )
}
