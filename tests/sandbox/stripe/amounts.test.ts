import { describe, expect, it } from 'vitest'
import { errorOf, localStripe } from './support/local-stripe.ts'

const { stripe } = await localStripe()
const create = (amount: number, currency: string) => stripe.paymentIntents.create({ amount, currency })

describe('amounts', () => {
  it('stripe.A1 the largest amount has eight digits', async () => {
    const largest = await create(99_999_999, 'usd')
    const error = await errorOf(create(100_000_000, 'usd'))

    expect(largest.amount).toBe(99_999_999)
    expect(error).toMatchObject({ statusCode: 400, code: 'amount_too_large', param: 'amount' })
    expect(error.message).toContain('$999,999.99')
  })

  it.each([0, -1, 1.5])('stripe.A1 %d is not an amount', async (amount) => {
    const error = await errorOf(create(amount, 'usd'))

    expect(error).toMatchObject({ statusCode: 400, code: 'parameter_invalid_integer', param: 'amount' })
  })

  it('stripe.R8 below the minimum is amount_too_small, with the minimum in words', async () => {
    const error = await errorOf(create(49, 'usd'))

    expect(error).toMatchObject({ statusCode: 400, code: 'amount_too_small', param: 'amount' })
    expect(error.message).toBe('Amount must be at least $0.50 usd')
  })

  it.each('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))(
    'stripe.A2 %s has no decimals: any whole number is an amount',
    async (currency) => {
      const intent = await create(1501, currency)

      expect(intent).toMatchObject({ amount: 1501, currency })
    },
  )

  it.each(['isk', 'ugx'])('stripe.A3 %s has two digits that must be 00', async (currency) => {
    const whole = await create(50_000, currency)
    const error = await errorOf(create(50_050, currency))

    expect(whole.amount).toBe(50_000)
    expect(error.code).toBe('invalid_charge_amount')
  })

  it.each(['bhd', 'jod', 'kwd', 'omr', 'tnd'])(
    'stripe.A4 %s has three digits, the last of them 0',
    async (currency) => {
      const rounded = await create(5120, currency)
      const error = await errorOf(create(5124, currency))

      expect(rounded.amount).toBe(5120)
      expect(error).toMatchObject({ statusCode: 400, param: 'amount' })
    },
  )

  it.each([
    ['usd', 50],
    ['eur', 50],
    ['gbp', 30],
    ['dkk', 250],
    ['sek', 300],
    ['nok', 300],
    ['hkd', 400],
    ['jpy', 50],
    ['mxn', 1000],
  ])('stripe.A5 the minimum of %s is %d', async (currency, minimum) => {
    const least = await create(minimum, currency)
    const error = await errorOf(create(minimum - 1, currency))

    expect(least.amount).toBe(minimum)
    expect(error.code).toBe('amount_too_small')
  })

  it('a currency is taken in any case and kept in lower case; an unknown one is refused', async () => {
    const intent = await create(500, 'USD')
    const error = await errorOf(create(500, 'xyz'))

    expect(intent.currency).toBe('usd')
    expect(error).toMatchObject({ statusCode: 400, param: 'currency' })
  })

  it('an update is held to the same rules, together with the currency it meets', async () => {
    const { id } = await create(500, 'usd')

    const tooSmall = await errorOf(stripe.paymentIntents.update(id, { amount: 49 }))
    const otherCurrency = await errorOf(stripe.paymentIntents.update(id, { currency: 'mxn' }))

    expect(tooSmall.code).toBe('amount_too_small')
    expect(otherCurrency.code).toBe('amount_too_small')
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({ amount: 500, currency: 'usd' })
  })
})
