import { describe, expect, it } from 'vitest'
import { compare } from '../../scripts/conformance/compare.ts'
import { refusal } from '../../scripts/conformance/key.ts'
import type { Played } from '../../scripts/conformance/play.ts'
import { markdown } from '../../scripts/conformance/report.ts'
import { type Outcome, withoutIds } from '../../scripts/conformance/side.ts'

const success: Outcome = {
  step: 'pay',
  status: 200,
  type: null,
  code: null,
  declineCode: null,
  param: null,
  message: null,
  facts: { status: 'succeeded' },
}

function played(outcomes: Outcome[], events: string[] = []): Played[] {
  return [{ scenario: 'a payment', rows: ['P3'], outcomes, events }]
}

describe('the key for the real test mode', () => {
  it.each([
    'sk_live_0123456789ab',
    'rk_live_0123456789ab',
    'sk_test_local_0123456789',
    'pk_test_0123456789ab',
    'x',
    '',
  ])('%s is refused, and the refusal does not repeat it', (key) => {
    const message = refusal(key)

    expect(message).toContain('STRIPE_CONFORMANCE_KEY')
    expect(key === '' || key === 'x' || !message?.includes(key)).toBe(true)
  })

  it('a secret test key is taken', () => {
    expect(refusal('sk_test_0123456789abcdef')).toBeNull()
  })
})

describe('the comparison', () => {
  it('is even when all but the wording is the same', () => {
    const refused = { ...success, status: 400, type: 'invalid_request_error', facts: {} }

    const [line] = compare(
      played([{ ...refused, message: 'No.' }]),
      played([{ ...refused, message: 'Certainly not.' }]),
    )

    expect(line).toMatchObject({ differs: [], otherWords: true })
  })

  it('marks what is not the same, also a step that only one side reached', () => {
    const ours = played([success, { ...success, step: 'refund' }], ['charge.succeeded'])
    const theirs = played([{ ...success, status: 402, code: 'card_declined', facts: {} }], ['charge.failed'])

    const lines = compare(ours, theirs)

    expect(lines.map(({ step, differs }) => [step, differs])).toEqual([
      ['pay', ['status', 'code', 'facts']],
      ['refund', ['not reached on one side']],
      ['events', ['events']],
    ])
    const table = markdown(lines, { title: 'T', note: 'N' })
    expect(table).toContain(
      '| **≠ status, code, facts** | pay | 200 · {"status":"succeeded"} | 402 · card_declined |',
    )
    expect(table).toContain('stripe.P3')
  })

  it('says "not run" for a Stripe that was not asked', () => {
    const lines = compare(played([success]), null)

    expect(lines.every(({ differs }) => differs.length === 0)).toBe(true)
    expect(markdown(lines, { title: 'T', note: 'N' })).toContain('| not run |')
  })

  it('leaves ids and keys out of messages', () => {
    expect(withoutIds("No such charge: 'ch_3Nabc123XYZ' for sk_test_abc123")).toBe(
      "No such charge: '<ch>' for <key>",
    )
    expect(withoutIds('payment_method_options is unknown')).toBe('payment_method_options is unknown')
  })
})
