import { createHmac } from 'node:crypto'
import type { Store } from '../core/store.ts'
import { StripeError } from '../http/errors.ts'
import { cardProblem } from './declines.ts'
import { findCardByNumber, findCardByTemplate, type TestCardKey, testCard } from './test-cards.ts'

/** What is kept of a card. The number itself never leaves this file. */
export type KeptCard = {
  key: TestCardKey
  last4: string
  fingerprint: string
  expMonth: number
  expYear: number
  cvcGiven: boolean
}

export type GivenCard = { number: string; exp_month: number; exp_year: number; cvc?: string | null }

const TEMPLATE_YEARS_AHEAD = 3
const LONGEST_VALIDITY_YEARS = 50

/** A card as typed in. @throws StripeError 402 for a number, date or code no card has (stripe.C9, stripe.C33). */
export function readCard(store: Store, given: GivenCard): KeptCard {
  const number = given.number.replace(/[\s-]/g, '')
  if (!/^\d{12,19}$/.test(number) || !passesLuhn(number)) throw cardError('incorrect_number')
  const expYear = fullYear(given.exp_year, store.clock.now())
  assertExpiry(given.exp_month, expYear, store.clock.now())

  const key = findCardByNumber(number)
  const codeLength = key && testCard(key).brand === 'amex' ? [3, 4] : [3]
  if (given.cvc && !(/^\d+$/.test(given.cvc) && codeLength.includes(given.cvc.length))) {
    throw cardError('invalid_cvc')
  }
  if (!key) throw cardError('card_declined', 'test_mode_live_card')
  return keep(store, key, given.exp_month, expYear, Boolean(given.cvc))
}

/** The card behind `pm_card_...` or `tok_...`; null when there is none of that name. */
export function readTemplate(store: Store, id: string): KeptCard | null {
  const key = findCardByTemplate(id)
  if (!key) return null
  const year = new Date(store.clock.nowMs()).getUTCFullYear() + TEMPLATE_YEARS_AHEAD
  return keep(store, key, 12, year, true)
}

function keep(
  store: Store,
  key: TestCardKey,
  expMonth: number,
  expYear: number,
  cvcGiven: boolean,
): KeptCard {
  const { number } = testCard(key)
  const fingerprint = createHmac('sha256', store.salt).update(number).digest('base64url')
  return {
    key,
    last4: number.slice(-4),
    fingerprint: fingerprint.replace(/[-_]/g, '').slice(0, 16),
    expMonth,
    expYear,
    cvcGiven,
  }
}

function assertExpiry(month: number, year: number, now: number): void {
  if (month < 1 || month > 12) throw cardError('invalid_expiry_month')
  const today = new Date(now * 1000)
  const thisYear = today.getUTCFullYear()
  if (year < thisYear || year > thisYear + LONGEST_VALIDITY_YEARS) throw cardError('invalid_expiry_year')
  if (year === thisYear && month < today.getUTCMonth() + 1) throw cardError('invalid_expiry_month')
}

/** Two digits mean the year nearest to now: 95 is 1995, not 2095. */
function fullYear(year: number, now: number): number {
  if (year >= 100) return year
  const thisYear = new Date(now * 1000).getUTCFullYear()
  const century = Math.floor(thisYear / 100) * 100
  const candidate = century + year
  return candidate > thisYear + LONGEST_VALIDITY_YEARS ? candidate - 100 : candidate
}

function passesLuhn(number: string): boolean {
  const sum = [...number].reverse().reduce((total, digit, position) => {
    const value = Number(digit) * (position % 2 === 1 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}

/** Wrong by itself, before any bank is asked: nothing was charged, nothing changes. */
function cardError(code: string, declineCode: string | null = null): StripeError {
  const problem = cardProblem(code, declineCode)
  return new StripeError(402, {
    type: 'card_error',
    code: problem.code,
    message: problem.message,
    ...(problem.declineCode ? { decline_code: problem.declineCode } : {}),
    ...(problem.param ? { param: problem.param } : {}),
  })
}
