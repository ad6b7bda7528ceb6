import { Instant } from '@/components/ui/instant'
import { Money } from '@/components/ui/money'
import { Panel } from '@/components/ui/panel'
import { Status } from '@/components/ui/status'
import type { PaymentDetail, RefundView } from '@/lib/payments/views'
import { DISPUTE_OPEN, DISPUTE_WORDS, REFUND_WORDS } from './status-words'

const REFUND_UNKNOWN = {
  tone: 'warn',
  word: 'On its way',
  explanation: 'Banks take a few days for it.',
} as const

/** Refunds and disputes of a payment, where there are any. */
export function MoneyBack({ payment }: { payment: Pick<PaymentDetail, 'refunds' | 'disputes'> }) {
  return (
    <>
      <Movements
        title="Refunds"
        movements={payment.refunds}
        wordsFor={(status) => REFUND_WORDS[status] ?? REFUND_UNKNOWN}
      />
      <Movements
        title="Disputes"
        movements={payment.disputes}
        wordsFor={(status) => DISPUTE_WORDS[status] ?? DISPUTE_OPEN}
      />
    </>
  )
}

type MovementsProps = {
  title: string
  movements: RefundView[]
  wordsFor: (status: string) => Parameters<typeof Status>[0]
}

function Movements({ title, movements, wordsFor }: MovementsProps) {
  if (movements.length === 0) return null
  return (
    <section aria-label={title}>
      <h2 className="mt-10 mb-4 text-20">{title}</h2>
      <Panel className="px-4 py-1 sm:px-6">
        <ul className="divide-y text-14">
          {movements.map(({ status, amountMinor, currency, createdAt }) => (
            <li
              key={createdAt}
              className="flex min-h-11 flex-wrap items-center justify-between gap-x-6 gap-y-1 py-2"
            >
              <Instant at={createdAt} className="whitespace-nowrap tabular-nums text-ink-soft" />
              <span className="flex items-center justify-between gap-4 max-sm:w-full">
                <Status {...wordsFor(status)} />
                <Money amountMinor={amountMinor} currency={currency} className="min-w-20 text-right" />
              </span>
            </li>
          ))}
        </ul>
      </Panel>
    </section>
  )
}
