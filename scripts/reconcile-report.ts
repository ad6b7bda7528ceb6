import type { ReconcileReport } from '../lib/payments/reconcile.ts'

type Ending = NonNullable<ReconcileReport['ending']>

const SHOWN_FINDINGS = 50

const MEANINGS = {
  missing_here: 'Stripe has it, we do not',
  missing_there: 'we have it, Stripe does not',
  status: 'the statuses differ',
  amount: 'the amounts differ',
  refund_sum: 'refunds add up differently',
  orphan: 'money that belongs to nothing here',
  ledger: 'the ledger and the balance differ',
} as const satisfies Record<Ending['findings'][number]['kind'], string>

/** For people: what was looked at, what was found, and whether the totals agree. */
export function reportLines({ mode, since, resumed, counts, ending }: ReconcileReport): string[] {
  return [
    `Reconciliation since ${since} (${mode === 'repair' ? 'repairing' : 'dry run: nothing is changed'})`,
    ...(resumed ? ['It went on with a run that had been interrupted.'] : []),
    '',
    `  ${pad(counts.events)} events, ${counts.eventsMissed} of them had not reached us${mode === 'repair' ? ` (${counts.eventsFailed} could not be applied yet)` : ''}`,
    `  ${pad(counts.payment_intent)} payments`,
    `  ${pad(counts.refund)} refunds`,
    `  ${pad(counts.dispute)} disputes`,
    `  ${pad(counts.subscription)} subscriptions`,
    `  ${pad(counts.balance_transaction)} balance transactions`,
    '',
    ...(ending ? endingLines(ending) : ['Stopped before the end. The next run goes on from here.']),
  ]
}

function endingLines({ outcome, findings, totals }: Ending): string[] {
  return [
    ...(totals.length > 0 ? ['Totals in minor units, Stripe less ledger:'] : []),
    ...totals.flatMap(totalLines),
    '',
    ...findings.slice(0, SHOWN_FINDINGS).map(findingLine),
    ...(findings.length > SHOWN_FINDINGS
      ? [`  and ${findings.length - SHOWN_FINDINGS} more; --json shows all`]
      : []),
    ...(findings.length > 0 ? [''] : []),
    { clean: 'Clean.', repaired: 'All that differed is repaired.', drift: 'There is unresolved drift.' }[
      outcome
    ],
  ]
}

function totalLines(total: Ending['totals'][number]): string[] {
  const { currency, stripeMinor, ledgerMinor, differenceMinor } = total
  const parts = [
    ['not posted in the ledger', total.unpostedMinor],
    ['posted with another amount', total.differingMinor],
    ['posted, and not at Stripe', -total.notAtStripeMinor],
  ] as const
  const besides = [
    ['not about payments (payouts, fees)', total.otherMinor],
    ['through the exchange account', total.exchangeMinor],
  ] as const
  const named = (list: readonly (readonly [string, number])[], sign: string) =>
    list.filter(([, amount]) => amount !== 0).map(([name, amount]) => `      ${sign} ${amount} ${name}`)
  return [
    `  ${currency}  ${stripeMinor} - ${ledgerMinor} = ${differenceMinor}`,
    ...named(parts, 'of it'),
    ...named(besides, 'besides'),
  ]
}

function findingLine({ kind, subject, detail, resolved }: Ending['findings'][number]): string {
  const facts = Object.entries(detail).map(([name, value]) => `${name} ${value}`)
  return `  ${resolved ? 'repaired' : 'OPEN    '}  ${kind.padEnd(13)} ${subject}  ${MEANINGS[kind]} (${facts.join(', ')})`
}

function pad(count: number): string {
  return String(count).padStart(6)
}
