import { invalidParameter } from '../http/errors.ts'
import { findCurrency } from './currencies.ts'
import { canExchange } from './exchange.ts'
import type { Store } from './store.ts'

const SETTLEMENT_CURRENCY = 'settlement_currency'

/** The one currency everything is exchanged to; null when each currency is kept as it came. */
export function accountCurrency(store: Store): string | null {
  return store.readSetting(SETTLEMENT_CURRENCY) ?? store.config.settlementCurrency
}

/** The currency in which a payment reaches the balance. */
export function settlementCurrencyOf(store: Store, charged: string): string {
  return accountCurrency(store) ?? charged
}

/** Null: keep each currency as it comes. @throws StripeError for a currency nothing can be exchanged to. */
export function setAccountCurrency(store: Store, code: string | null): void {
  const lower = code?.toLowerCase() ?? null
  if (lower !== null && !(findCurrency(lower) && canExchange('usd', lower))) {
    throw invalidParameter(
      'settlementCurrency',
      `local stand-in: nothing can be exchanged to ${lower.slice(0, 10)}`,
    )
  }
  store.writeSetting(SETTLEMENT_CURRENCY, lower)
}
