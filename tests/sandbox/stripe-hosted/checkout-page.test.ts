import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, startWorld, type World } from '../stripe-browser/support/world.ts'
import { aPlan, aSale, fillCard, open, overflows, successUrl } from './support.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

describe('the Checkout page', () => {
  it('takes a card and sends the customer back to the shop', async () => {
    const { session, url, done } = await aSale(world)
    const visit = await open(world, url)

    await visit.page.getByLabel('Email').fill('ada@example.com')
    await fillCard(visit.page, '4242424242424242')
    await visit.page.getByRole('button', { name: 'Pay €25.00' }).click()
    await visit.page.waitForURL(done)

    expect(await world.sdk.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' })
    expect(visit.problems).toEqual([])
    const elsewhere = visit.requests.filter((request) => !request.startsWith(world.stripeOrigin))
    // A port can be 34242.
    expect(elsewhere.join().replaceAll(world.shop.origin, '')).not.toContain('4242')
    await visit.close()
  })

  it('says what is wrong with the fields, and sends nothing', async () => {
    const { url } = await aSale(world)
    const visit = await open(world, url)

    await visit.page.getByLabel('Card number').fill('4242 4242 4242 4241')
    await visit.page.getByRole('button', { name: 'Pay' }).click()

    await visit.page.getByText('Enter the e-mail address for the receipt.').waitFor()
    const focused = await visit.page.getByLabel('Email').evaluate((input) => input === document.activeElement)
    await visit.page.getByLabel('Email').fill('ada@example.com')
    await visit.page.getByRole('button', { name: 'Pay' }).click()
    await visit.page.getByText('Your card number is invalid.').waitFor()
    await visit.page.getByText("Your card's security code is incomplete.").waitFor()
    expect(focused).toBe(true)
    expect(visit.requests.some((request) => request.includes('"card"'))).toBe(false)
    await visit.close()
  })

  it('lets the customer try another card after a decline', async () => {
    const { url, done } = await aSale(world, { customer_email: 'ada@example.com' })
    const visit = await open(world, url)

    await fillCard(visit.page, '4000000000000002')
    await visit.page.getByRole('button', { name: 'Pay' }).click()
    await visit.page.getByText('Your card was declined.').waitFor()
    await fillCard(visit.page, '4242424242424242')
    await visit.page.getByRole('button', { name: 'Pay' }).click()
    await visit.page.waitForURL(done)

    expect(visit.problems).toEqual([])
    await visit.close()
  })

  it('goes to the bank and back, whether the customer passes or fails there', async () => {
    const { url, done } = await aSale(world, { customer_email: 'ada@example.com' })
    const visit = await open(world, url)

    await fillCard(visit.page, '4000002760003184')
    await visit.page.getByRole('button', { name: 'Pay' }).click()
    await visit.page.getByRole('button', { name: 'Fail authentication' }).click()
    await visit.page.getByText('failed authentication').waitFor()
    await fillCard(visit.page, '4000002760003184')
    await visit.page.getByRole('button', { name: 'Pay' }).click()
    await visit.page.getByRole('button', { name: 'Complete authentication' }).click()
    await visit.page.waitForURL(done)

    expect(visit.problems).toEqual([])
    await visit.close()
  })

  it('subscribes with a promotion code', async () => {
    const price = await aPlan(world, 'Premium', 2000)
    const coupon = await world.sdk.coupons.create({ percent_off: 50, duration: 'forever' })
    await world.sdk.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'HALF' })
    const { session, url, done } = await aSale(world, {
      mode: 'subscription',
      line_items: [{ price: price.id, quantity: 1 }],
      allow_promotion_codes: true,
      customer_email: 'ada@example.com',
      success_url: successUrl(world),
    })
    const visit = await open(world, url)

    await visit.page.getByLabel('Promotion code').fill('half')
    await visit.page.getByRole('button', { name: 'Apply' }).click()
    await visit.page.getByRole('button', { name: 'Subscribe for $10.00' }).waitFor()
    await fillCard(visit.page, '4242424242424242')
    await visit.page.getByRole('button', { name: 'Subscribe' }).click()
    await visit.page.waitForURL(done)

    const after = await world.sdk.checkout.sessions.retrieve(session.id, { expand: ['invoice'] })
    expect(after.invoice).toMatchObject({ status: 'paid', amount_paid: 1000, subtotal: 2000 })
    await visit.close()
  })

  it.each([
    ['light', 360],
    ['dark', 360],
    ['light', 1400],
    ['dark', 1400],
  ] as const)('has no accessibility problem and fits: %s, %i pixels', async (colorScheme, width) => {
    const { url } = await aSale(world, { allow_promotion_codes: true })
    const visit = await open(world, url, { colorScheme, width })
    await visit.page.getByLabel('Email').fill('ada@example.com')
    await visit.page.getByRole('button', { name: 'Pay' }).click()
    await visit.page.getByText('Your card number is incomplete.').waitFor()

    expect(await accessibilityProblems(visit.page)).toEqual([])
    expect(await overflows(visit.page)).toBe(false)
    if (process.env.HOSTED_SHOTS) {
      await visit.page.screenshot({
        path: `${process.env.HOSTED_SHOTS}/checkout-${colorScheme}-${width}.png`,
        fullPage: true,
      })
    }
    await visit.close()
  })

  it('can be used with the keyboard alone', async () => {
    const { url, done } = await aSale(world)
    const visit = await open(world, url)

    const { keyboard } = visit.page
    await visit.page.getByLabel('Email').focus()
    for (const text of ['ada@example.com', '4242424242424242', '1234', '123', 'Ada']) {
      await keyboard.type(text)
      await keyboard.press('Tab')
    }
    await keyboard.press('Enter')
    await visit.page.waitForURL(done)

    expect(visit.problems).toEqual([])
    await visit.close()
  })
})
