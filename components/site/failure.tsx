'use client'

import { Button } from '@/components/ui/button'

type FailureProps = { error: unknown; retry: () => void }

/** A page that could not be made: what happened, what is safe, another try, and the number to quote. */
export function Failure({ error, retry }: FailureProps) {
  const digest = digestOf(error)
  return (
    <div className="column-narrow">
      <h1 className="text-28">This page did not load</h1>
      <p className="mt-2 text-16 text-ink-soft">
        Something on our side did not answer. Your payments are safe: nothing was charged by opening this
        page.
      </p>
      <div className="mt-6">
        <Button onClick={retry}>Try again</Button>
      </div>
      {digest && (
        <p className="mt-6 text-13 text-ink-soft">
          If it keeps happening, quote request id <span className="font-mono">{digest}</span>.
        </p>
      )}
    </div>
  )
}

/** The number under which the server's log has the whole story. */
function digestOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('digest' in error)) return null
  return typeof error.digest === 'string' ? error.digest : null
}
