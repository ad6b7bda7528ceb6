import 'server-only'
import { z } from 'zod'
import { type Argument, callService } from '../db/sql'
import { log } from '../log'
import { crashPoint } from '../payments/crash-point'
import { type Head, publishedHead, publishHead } from './head'

/** Calls a function of schema `service`; tests put their own transaction here. */
export type Call = (name: string, args: Record<string, Argument>) => Promise<unknown>

/** A batch stays far below the four seconds a statement has. */
const BATCH = 5_000
const MAX_BATCHES = 20

const Batch = z.object({
  sealed: z.number(),
  count: z.number(),
  hash: z.string(),
  more: z.boolean(),
  waiting: z.boolean(),
})
const HeadCheck = z.object({
  verdict: z.enum(['holds', 'cut', 'rewritten']),
  count: z.number(),
  unsealed: z.number(),
})

export type Sealed = Head & {
  sealed: number
  /** Rows are left for the next call: there were too many for one. */
  more: boolean
  /** Nothing could be sealed: a transaction that has written to the log does not end. */
  waiting: boolean
}

/** Chain the audit rows that have no seal yet. Any number of sealers may run at once. */
export async function sealAuditLog(call: Call = callService): Promise<Sealed> {
  let sealed = 0
  for (let batches = 1; ; batches++) {
    const batch = Batch.parse(await call('seal_audit_log', { p_limit: BATCH }))
    sealed += batch.sealed
    if (!batch.more || batches === MAX_BATCHES) return { ...batch, sealed }
  }
}

/** Whether the chain still contains a head published earlier. `alert` tells staff when it does not. */
export async function checkHead(
  head: Head,
  { call = callService, alert = false }: { call?: Call; alert?: boolean } = {},
) {
  return HeadCheck.parse(
    await call('check_audit_head', { p_count: head.count, p_hash: head.hash, p_alert: alert }),
  )
}

/**
 * Seal, and publish where the chain ends. A chain that no longer contains the head published before was changed by
 * somebody: that head is the evidence, so it stays, and nothing is published any more until a person has looked.
 */
export async function sealAndPublish(): Promise<Sealed & { headHolds: boolean }> {
  const now = await sealAuditLog()
  crashPoint('audit.sealed')
  if (now.waiting) log.warn('audit_seal_waits', { count: now.count })
  const published = await publishedHead()
  if (published !== null && published !== 'away') {
    const { verdict } = await checkHead(published, { alert: true })
    if (verdict !== 'holds') {
      log.error('audit_head_broken', { verdict, published: published.count, count: now.count })
      return { ...now, headHolds: false }
    }
    if (published.count >= now.count) return { ...now, headHolds: true }
  }
  if (now.count > 0) await publishHead(now)
  return { ...now, headHolds: true }
}
