import { describe, expect, it } from 'vitest'
import { aSubscriber, typesSince } from './support/billing.ts'
import { errorOf, localStripe } from './support/local-stripe.ts'

const { stripe } = await localStripe()

describe('products and prices', () => {
  it('are made, changed and found again, and say so', async () => {
    const told = await typesSince(stripe)

    const product = await stripe.products.create({
      name: 'Premium',
      default_price_data: { currency: 'eur', unit_amount: 900, recurring: { interval: 'year' } },
      expand: ['default_price'],
    })
    await stripe.products.update(product.id, { active: false })
    const shelved = await stripe.products.list({ active: false })
    const prices = await stripe.prices.list({
      product: product.id,
      type: 'recurring',
      recurring: { interval: 'year' },
    })

    expect(product.default_price).toMatchObject({ unit_amount: 900, type: 'recurring' })
    expect(shelved.data.map(({ id }) => id)).toEqual([product.id])
    expect(prices.data).toHaveLength(1)
    expect(await told()).toEqual(['product.created', 'price.created', 'product.updated'])
  })

  it('stripe.N9 amounts with decimals travel as text', async () => {
    const { price } = await aSubscriber(stripe)

    expect(String(price.unit_amount_decimal)).toBe('1000')
    expect(price.unit_amount_decimal?.eq(price.unit_amount_decimal)).toBe(true)
  })

  it('a lookup key stands for one price, and moves only when asked to', async () => {
    const { product } = await aSubscriber(stripe)
    const tier = (more: object = {}) =>
      stripe.prices.create({
        product: product.id,
        currency: 'usd',
        unit_amount: 500,
        recurring: { interval: 'month' },
        lookup_key: 'basic',
        ...more,
      })
    const first = await tier()

    const taken = await errorOf(tier())
    const second = await tier({ transfer_lookup_key: true })
    const { data } = await stripe.prices.list({ lookup_keys: ['basic'] })

    expect(taken).toMatchObject({ statusCode: 400, param: 'lookup_key', code: 'resource_already_exists' })
    expect(data.map(({ id }) => id)).toEqual([second.id])
    expect((await stripe.prices.retrieve(first.id)).lookup_key).toBeNull()
  })

  it('stripe.L7 a deleted product is gone; one that has prices is not deleted', async () => {
    const { product } = await aSubscriber(stripe)
    const unused = await stripe.products.create({ name: 'Unused' })

    const refused = await errorOf(stripe.products.del(product.id))
    const deleted = await stripe.products.del(unused.id)

    expect(refused.statusCode).toBe(400)
    expect(deleted).toEqual(expect.objectContaining({ id: unused.id, object: 'product', deleted: true }))
    expect(await errorOf(stripe.products.retrieve(unused.id))).toMatchObject({ statusCode: 404 })
  })

  it('an inactive price, or one for a single sale, begins no subscription', async () => {
    const { customer, product, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const once = await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 500 })
    await stripe.prices.update(price.id, { active: false })
    const begin = (id: string) =>
      stripe.subscriptions.create({ customer: customer.id, items: [{ price: id }] })

    const errors = [
      await errorOf(begin(price.id)),
      await errorOf(begin(once.id)),
      await errorOf(begin('price_no')),
    ]

    expect(errors.map(({ param }) => param)).toEqual(Array(3).fill('items[0][price]'))
  })
})

describe('coupons', () => {
  it('stripe.L7 are made, used up and deleted', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const coupon = await stripe.coupons.create({
      id: 'WELCOME',
      amount_off: 300,
      currency: 'usd',
      duration: 'once',
      max_redemptions: 1,
    })
    const begin = () =>
      stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: price.id }],
        discounts: [{ coupon: coupon.id }],
        expand: ['latest_invoice'],
      })

    const first = await begin()
    const second = await errorOf(begin())
    const deleted = await stripe.coupons.del(coupon.id)

    expect(first.latest_invoice).toMatchObject({ amount_paid: 700 })
    expect(second).toMatchObject({ code: 'coupon_expired' })
    expect(deleted).toMatchObject({ id: 'WELCOME', deleted: true })
    expect((await stripe.coupons.list()).data).toEqual([])
  })

  it('stripe.R6 say what is missing or too much', async () => {
    const errors = [
      await errorOf(stripe.coupons.create({ duration: 'once' })),
      await errorOf(stripe.coupons.create({ amount_off: 100 })),
      await errorOf(stripe.coupons.create({ percent_off: 10, duration: 'repeating' })),
      await errorOf(stripe.coupons.create({ percent_off: 110 })),
    ]

    expect(errors.map(({ param }) => param)).toEqual([
      'percent_off',
      'currency',
      'duration_in_months',
      'percent_off',
    ])
  })

  it('are found by the code a customer types', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 5, duration: 'forever' })
    const code = await stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: coupon.id },
      code: 'SPRING',
    })

    const found = await stripe.promotionCodes.list({ code: 'SPRING', expand: ['data.promotion.coupon'] })
    const again = await errorOf(
      stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'spring' }),
    )

    expect(found.data[0]).toMatchObject({ id: code.id, promotion: { coupon: { percent_off: 5 } } })
    expect(again.param).toBe('code')
  })
})

describe('invoices', () => {
  it('stripe.L3 show what is behind them, four levels deep', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const { latest_invoice } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    })

    const invoice = await stripe.invoices.retrieve(String(latest_invoice), {
      expand: [
        'payments.data.payment.payment_intent',
        'parent.subscription_details.subscription',
        'customer',
      ],
    })
    const tooDeep = await errorOf(
      stripe.subscriptions.list({ expand: ['data.latest_invoice.payments.data.payment'] }),
    )

    expect(invoice.payments?.data[0]?.payment.payment_intent).toMatchObject({ status: 'succeeded' })
    expect(invoice.parent?.subscription_details?.subscription).toMatchObject({ status: 'active' })
    expect(invoice.customer).toMatchObject({ id: customer.id })
    expect(tooDeep.param).toBe('expand')
  })

  it('can be finalized, paid by hand, and void', async () => {
    const { customer, price } = await aSubscriber(stripe)
    const { latest_invoice } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      payment_behavior: 'default_incomplete',
    })
    const told = await typesSince(stripe)

    const declined = await errorOf(
      stripe.invoices.pay(String(latest_invoice), { payment_method: 'pm_card_chargeCustomerFail' }),
    )
    const asked = await errorOf(
      stripe.invoices.pay(String(latest_invoice), { payment_method: 'pm_card_authenticationRequired' }),
    )
    const voided = await stripe.invoices.voidInvoice(String(latest_invoice))
    const late = await errorOf(stripe.invoices.pay(String(latest_invoice)))

    expect(declined).toMatchObject({ statusCode: 402, code: 'card_declined' })
    expect(asked).toMatchObject({ statusCode: 402, code: 'invoice_payment_intent_requires_action' })
    expect(voided).toMatchObject({ status: 'void', attempt_count: 1 })
    expect(late.statusCode).toBe(400)
    expect(await told()).toEqual([
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.payment_failed',
      'payment_intent.requires_action',
      'invoice.payment_action_required',
      'payment_intent.canceled',
      'invoice.voided',
    ])
  })

  it('list their lines', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const other = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 200,
      recurring: { interval: 'month' },
      product_data: { name: 'Seat' },
    })
    const { latest_invoice } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }, { price: other.id, quantity: 3 }],
    })

    const first = await stripe.invoices.listLineItems(String(latest_invoice), { limit: 1 })
    const second = await stripe.invoices.listLineItems(String(latest_invoice), {
      starting_after: first.data[0]?.id ?? '',
    })

    expect([first.has_more, second.has_more]).toEqual([true, false])
    expect(second.data.map(({ amount, description }) => [amount, description])).toEqual([
      [600, '3 × Seat (at $2.00 / month)'],
    ])
  })

  it('stripe.R5 are not made for what does not exist', async () => {
    expect(await errorOf(stripe.invoices.retrieve('in_no'))).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    })
    expect(await errorOf(stripe.invoices.create({ customer: 'cus_no' }))).toMatchObject({
      statusCode: 400,
      param: 'customer',
    })
  })
})
