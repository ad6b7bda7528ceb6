import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import type { Head } from './head'
import { type Call, checkHead, sealAuditLog } from './seal'

const PAGE = 10_000
/** More changed rows than this are not matched with each other: that would compare every one with every other. */
const MAX_MATCHED = 300

const Finding = z.object({
  kind: z.enum(['edited', 'missing', 'inserted', 'seal_gone']),
  /** The row's id in the audit log. */
  id: z.number(),
  /** Its place in the chain; a row that was put in has none. */
  seq: z.number().nullable(),
})
const Page = z.object({ last: z.number(), checked: z.number(), findings: z.array(Finding) })
const Moves = z.array(z.object({ from: z.number(), to: z.number() }))

type RowFinding = z.infer<typeof Finding>
export type AuditFinding =
  | RowFinding
  | { kind: 'moved'; id: number; to: number }
  | { kind: 'tail_cut'; published: number; count: number }
  | { kind: 'rewritten'; published: number }

export type Verification = {
  sealed: number
  /** How many rows the chain holds, all of them checked. */
  count: number
  /** Rows younger than the last seal. */
  unsealed: number
  findings: AuditFinding[]
}

/**
 * Seal what has no seal yet, then check every link of the chain, and whether the chain contains a head that was published
 * earlier. Without a head nobody can see that the end was cut off, or that everything from some row on was sealed anew.
 */
export async function verifyAuditLog({
  head,
  call = callService,
}: {
  head: Head | null
  call?: Call
}): Promise<Verification> {
  const { sealed } = await sealAuditLog(call)
  const { checked, found } = await checkChain(call)
  const { count, unsealed, verdict } = await checkHead(head ?? { count: 0, hash: '' }, { call })

  const findings: AuditFinding[] = await withMoves(call, found)
  if (head && verdict === 'cut') findings.push({ kind: 'tail_cut', published: head.count, count })
  if (head && verdict === 'rewritten') findings.push({ kind: 'rewritten', published: head.count })
  return { sealed, count: checked, unsealed, findings }
}

async function checkChain(call: Call): Promise<{ checked: number; found: RowFinding[] }> {
  const found: RowFinding[] = []
  let checked = 0
  for (let after = 0; ; ) {
    const page = Page.parse(await call('verify_audit_page', { p_after: after, p_limit: PAGE }))
    found.push(...page.findings)
    checked += page.checked
    if (page.checked < PAGE) return { checked, found }
    after = page.last
  }
}

/** Changed rows that hold what another one held were not edited but exchanged. */
async function withMoves(call: Call, found: RowFinding[]): Promise<AuditFinding[]> {
  const idsOf = (...kinds: RowFinding['kind'][]) =>
    found.filter((finding) => kinds.includes(finding.kind)).map((finding) => finding.id)
  const places = idsOf('edited', 'missing')
  const rows = idsOf('edited', 'inserted')
  if (places.length === 0 || rows.length === 0 || places.length + rows.length > MAX_MATCHED) return found

  const moves = Moves.parse(
    await call('moved_audit_rows', { p_places: { json: places }, p_rows: { json: rows } }),
  )
  const explained = new Set(moves.flatMap(({ from, to }) => [from, to]))
  return [
    ...found.filter((finding) => finding.kind === 'seal_gone' || !explained.has(finding.id)),
    ...moves.map(({ from, to }) => ({ kind: 'moved' as const, id: from, to })),
  ]
}

/** A finding in words. */
export function describeFinding(finding: AuditFinding): string {
  switch (finding.kind) {
    case 'edited':
      return `Row ${finding.id} was edited, or its seal was: it is not what was sealed at place ${finding.seq}.`
    case 'missing':
      return `Row ${finding.id} is missing: it was sealed at place ${finding.seq} and deleted since.`
    case 'inserted':
      return `Row ${finding.id} was inserted after the rows around it were sealed.`
    case 'moved':
      return `Rows were reordered: what was sealed as row ${finding.id} is now row ${finding.to}.`
    case 'seal_gone':
      return `Seals are missing before place ${finding.seq} (row ${finding.id}).`
    case 'tail_cut':
      return `The tail was cut: ${finding.published} rows were published as sealed, and ${finding.count} are left.`
    case 'rewritten':
      return `The chain does not contain the published head: something up to place ${finding.published} was removed or changed, and sealed anew.`
  }
}
