// The local stand-in for a hosted scheduler: it asks the app to look after unfinished payments every few seconds.

export type Scheduler = { stop(): void }

/** Calls the sweep address until stopped. `report` hears about a change only: the first failure and the recovery. */
export function startScheduler(options: {
  origin: string
  secret: string
  everyMs: number
  report: (line: string) => void
}): Scheduler {
  const stopped = new AbortController()
  let trouble: string | null = null

  const sweep = async () => {
    const now = await sweepOnce(options.origin, options.secret, stopped.signal)
    if (stopped.signal.aborted) return
    if (now !== trouble)
      options.report(now === null ? 'The sweep works again.' : `The sweep does not work: ${now}.`)
    trouble = now
    timer = setTimeout(sweep, options.everyMs)
  }
  let timer = setTimeout(sweep, options.everyMs)

  return {
    stop() {
      stopped.abort()
      clearTimeout(timer)
    },
  }
}

/** What went wrong, or null when the sweep was done. */
async function sweepOnce(origin: string, secret: string, stopped: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(new URL('/api/cron/sweep', origin), {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      signal: AbortSignal.any([stopped, AbortSignal.timeout(30_000)]),
    })
    await response.arrayBuffer()
    return response.ok ? null : `the app answered ${response.status}`
  } catch {
    return 'the app did not answer'
  }
}
