import { describe, expect, it } from 'vitest'
import { ROWS } from '../../sandbox/stripe/contract/rows.ts'
import { rowCoverage, rowIds, summary } from '../../scripts/stripe-rows.ts'

describe('the list of Stripe’s behaviours', () => {
  it('has each row once, with known evidence and a few words', () => {
    expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length)
    for (const { id, evidence, behaviour } of ROWS) {
      expect(id).toMatch(/^[A-Z]\d+$/)
      expect(evidence.length).toBeGreaterThan(0)
      for (const tag of evidence) expect(['RUN', 'SDK', 'DOC', 'OBS', '2ND', 'INF']).toContain(tag)
      expect(behaviour).not.toBe('')
    }
  })

  it('counts a row when a test begins with it, and only then', () => {
    expect(rowIds('stripe.C2 stripe.R12 a decline')).toEqual(['C2', 'R12'])
    expect(rowIds('a decline, see stripe.C2')).toEqual([])
  })

  it('tells what is proved by evidence, what is missing and what nobody listed', () => {
    const text = summary(rowCoverage(['stripe.A1 whole units', 'stripe.Z9 unheard of']))

    expect(text).toContain(`proved: 1 of ${ROWS.length}`)
    expect(text).toMatch(/SDK 1\/\d+ · DOC 0\/\d+/)
    expect(text).toContain('  A2  currencies without decimals')
    expect(text).toContain('not in the list: Z9')
  })
})
