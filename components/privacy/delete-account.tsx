'use client'

import { type FormEvent, useId, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Notice } from '@/components/ui/notice'
import type { Blocker } from '@/lib/privacy/schema'
import { ask, goAndConfirm, type Refusal } from './ask'

/** What each of them wants of the person. */
const BLOCKER_WORDS: Record<Blocker, string> = {
  payment_open: 'A payment is not finished. Pay it, or cancel its order.',
  refund_open: 'A refund is on its way to you. It takes some days to arrive.',
  dispute_open: 'A payment is disputed. Your bank has yet to decide.',
  subscription_live: 'You have a subscription, or are about to. Cancel it, and wait until it has ended.',
  still_staff: 'You work here. Ask an admin to take your role away.',
}

export function DeleteAccount({ blockers }: { blockers: Blocker[] }) {
  return (
    <>
      <div className="grid gap-6 text-16 sm:grid-cols-2">
        <div>
          <h3 className="text-14 font-medium">What goes</h3>
          <ul className="mt-1 list-disc space-y-1 pl-5 text-ink-soft">
            <li>your sign-in and your e-mail address, at once</li>
            <li>what we know of your cards and of where you paid from</li>
            <li>you, as a customer of our payment provider, with your saved cards</li>
            <li>orders that are not paid</li>
          </ul>
        </div>
        <div>
          <h3 className="text-14 font-medium">What stays, and why</h3>
          <ul className="mt-1 list-disc space-y-1 pl-5 text-ink-soft">
            <li>amounts and dates of what you paid and got back: the law wants our books kept</li>
            <li>what you agreed to when you had a card saved, since we may have to show it</li>
            <li>all of it under a number that leads to nobody any more</li>
          </ul>
        </div>
      </div>
      {blockers.length > 0 ? <Blocked blockers={blockers} /> : <DeleteForm />}
    </>
  )
}

function Blocked({ blockers }: { blockers: Blocker[] }) {
  return (
    <Notice tone="warn" title="This is not possible yet" className="mt-6">
      <ul className="space-y-1">
        {blockers.map((blocker) => (
          <li key={blocker}>{BLOCKER_WORDS[blocker]}</li>
        ))}
      </ul>
    </Notice>
  )
}

function DeleteForm() {
  const [busy, setBusy] = useState(false)
  const [sure, setSure] = useState(false)
  const [refusal, setRefusal] = useState<Exclude<Refusal, 'confirm-password'> | null>(null)
  const id = useId()

  async function leave(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setRefusal(null)
    const answer = await ask('/api/privacy/erasure', { confirm: 'delete' })
    if (answer === 'confirm-password') return goAndConfirm()
    // Loaded anew: nothing that was shown to somebody stays.
    if (answer instanceof Response) return window.location.assign('/account-deleted')
    setRefusal(answer)
    setBusy(false)
  }

  return (
    <form onSubmit={leave} className="mt-6 border-t pt-5">
      {refusal && (
        <Notice tone="bad" urgent requestId={refusal.requestId} className="mb-4">
          {refusal.message}
        </Notice>
      )}
      <label htmlFor={id} className="flex min-h-11 items-center gap-3 text-16">
        <input
          id={id}
          type="checkbox"
          checked={sure}
          onChange={(event) => setSure(event.target.checked)}
          className="size-5 shrink-0 accent-accent"
        />
        I want my account to be deleted. This cannot be undone.
      </label>
      <Button type="submit" busy={busy} disabled={!sure} className="mt-3 w-full sm:w-auto">
        Delete my account
      </Button>
    </form>
  )
}
