import type Stripe from 'stripe'
import { settlementCurrencyOf } from '../core/account.ts'
import { findCurrency } from '../core/currencies.ts'
import { canExchange, convert, exchangeRate } from '../core/exchange.ts'
import { newId } from '../core/ids.ts'
import { scheduleJob } from '../core/jobs.ts'
import type { Store } from '../core/store.ts'

/** One movement of money, in the currency the customer paid in. */
export type Entry = {
  type: 'charge' | 'refund' | 'refund_failure' | 'adjustment'
  /** Stripe's finer name for the same, as in its reports. */
  reportingCategory: 'charge' | 'refund' | 'refund_failure' | 'dispute' | 'dispute_reversal'
  /** The id of what the money moved for. */
  source: string
  description: string | null
  /** Minor units of `currency`; negative when it leaves the balance. */
  amountMinor: number
  currency: string
  /** What Stripe takes for it; `none` when it takes nothing. A fee given back is `disputeReturned`. */
  fee: 'none' | 'payment' | 'dispute' | 'disputeReturned'
  availableAtOnce: boolean
}

const PAYMENT_FEE_PERCENT = 2.9

/** The fixed part of the fee, as a share of the smallest charge: 30 cents of a dollar payment. */
const FIXED_FEE_SHARE = 0.6
const DISPUTE_FEE_USD = 1500
const AVAILABLE_AFTER_SECONDS = 2 * 24 * 60 * 60

/**
 * Write a movement into the balance: exchanged to the account's currency, less the fee. Nothing else writes balance transactions, so
 * the balance is always their sum.
 */
export function book(store: Store, entry: Entry): Stripe.BalanceTransaction {
  const currency = settlementCurrencyOf(store, entry.currency)
  const amount = convert(entry.amountMinor, entry.currency, currency)
  const fee = feeOf(entry, amount, currency)
  const now = store.clock.now()
  const transaction: Stripe.BalanceTransaction = {
    id: newId('balance_transaction'),
    object: 'balance_transaction',
    amount,
    available_on: entry.availableAtOnce ? now : now + AVAILABLE_AFTER_SECONDS,
    balance_type: 'payments',
    created: now,
    currency,
    description: entry.description,
    exchange_rate: exchangeRate(entry.currency, currency),
    fee,
    fee_details: fee === 0 ? [] : [feeDetail(entry, fee, currency)],
    net: amount - fee,
    reporting_category: entry.reportingCategory,
    source: entry.source,
    status: entry.availableAtOnce ? 'available' : 'pending',
    type: entry.type,
  }
  if (!entry.availableAtOnce) {
    scheduleJob(store, 'make_available', transaction.id, AVAILABLE_AFTER_SECONDS * 1000)
  }
  return store.insert('balance_transaction', transaction, {})
}

/** Two days later the money can be paid out. Runs as a job. */
export function makeAvailable(store: Store, id: string): void {
  const found = store.find('balance_transaction', id)
  if (found) store.save('balance_transaction', { ...found.object, status: 'available' })
}

function feeOf({ fee }: Entry, settledMinor: number, currency: string): number {
  if (fee === 'none') return 0
  if (fee === 'payment') return paymentFee(settledMinor, currency)
  const amount = disputeFee(currency)
  return fee === 'dispute' ? amount : -amount
}

/** At most the amount itself: tiny payments are not paid by the merchant. */
function paymentFee(amountMinor: number, currency: string): number {
  const fixed = Math.round((findCurrency(currency)?.minimum ?? 0) * FIXED_FEE_SHARE)
  return Math.min(amountMinor, Math.round((amountMinor * PAYMENT_FEE_PERCENT) / 100) + fixed)
}

/** 15 of the big currencies, and what that is worth in any other. */
function disputeFee(currency: string): number {
  if (['eur', 'gbp', 'usd'].includes(currency)) return DISPUTE_FEE_USD
  return canExchange('usd', currency) ? convert(DISPUTE_FEE_USD, 'usd', currency) : 0
}

function feeDetail({ fee }: Entry, amount: number, currency: string): Stripe.BalanceTransaction.FeeDetail {
  const description = fee === 'payment' ? 'Stripe processing fees' : 'Dispute fee'
  return { amount, application: null, currency, description, type: 'stripe_fee' }
}
