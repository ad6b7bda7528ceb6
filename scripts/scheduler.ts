// The local stand-in for a hosted scheduler: it calls the app's jobs, each at its own pace.

/** What `/api/cron/<name>` is called for, and how often. */
const JOBS = [
  { name: 'sweep', everyMs: 5_000 },
  { name: 'outbox', everyMs: 5_000 },
  { name: 'seal', everyMs: 60_000 },
  { name: 'reconcile', everyMs: 60_000 },
  { name: 'sessions', everyMs: 60_000 },
  { name: 'retention', everyMs: 3_600_000 },
  { name: 'grace', everyMs: 60_000 },
  { name: 'cards', everyMs: 3_600_000 },
] as const

export type Scheduler = { stop(): void }

type Options = { origin: string; secret: string; report: (line: string) => void }

/** Calls every job until stopped. `report` hears about a change only: the first failure of a job and its recovery. */
export function startScheduler(options: Options): Scheduler {
  const jobs = JOBS.map((job) => repeat({ ...options, ...job }))
  return { stop: () => jobs.forEach((job) => void job.stop()) }
}

function repeat(job: Options & { name: string; everyMs: number }): Scheduler {
  const stopped = new AbortController()
  let trouble: string | null = null

  const work = async () => {
    const now = await callOnce(job, stopped.signal)
    if (stopped.signal.aborted) return
    if (now !== trouble)
      job.report(now === null ? `The ${job.name} works again.` : `The ${job.name} does not work: ${now}.`)
    trouble = now
    timer = setTimeout(work, job.everyMs)
  }
  let timer = setTimeout(work, job.everyMs)

  return {
    stop() {
      stopped.abort()
      clearTimeout(timer)
    },
  }
}

/** What went wrong, or null when the job was done. */
async function callOnce(job: Options & { name: string }, stopped: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(new URL(`/api/cron/${job.name}`, job.origin), {
      method: 'POST',
      headers: { authorization: `Bearer ${job.secret}` },
      signal: AbortSignal.any([stopped, AbortSignal.timeout(30_000)]),
    })
    await response.arrayBuffer()
    // 409: another run of the job is going on.
    return response.ok || response.status === 409 ? null : `the app answered ${response.status}`
  } catch {
    return 'the app did not answer'
  }
}
