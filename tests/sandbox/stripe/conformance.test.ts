import { describe, expect, it } from 'vitest'
import { compare } from '../../../scripts/conformance/compare.ts'
import { playAll } from '../../../scripts/conformance/play.ts'
import { SCENARIOS } from '../../../scripts/conformance/scenarios.ts'
import { localStripe } from './support/local-stripe.ts'

describe('the scenarios that are also played against the real Stripe', () => {
  it('can all be played here to their end, and come to the same every time', async () => {
    const play = async () => {
      const { stripe, close } = await localStripe({ settleDelayMs: 50, aftermathDelayMs: 50 })
      const played = await playAll({ name: 'ours', stripe, settleMs: 1_000 }, SCENARIOS)
      await close()
      return played
    }

    const [first, second] = await Promise.all([play(), play()])

    const outcomes = first.flatMap((one) => one.outcomes)
    expect(outcomes.filter(({ status }) => status === 0 || status >= 500)).toEqual([])
    expect(compare(first, second).filter(({ differs }) => differs.length > 0)).toEqual([])
  })
})
