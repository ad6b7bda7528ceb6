import type Stripe from 'stripe'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  accessibilityProblems,
  createIntent,
  fillCard,
  startWorld,
  type Visit,
  visit,
  type World,
} from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const SCREENSHOTS = process.env.SCREENSHOT_DIR

type Features = Stripe.CustomerSessionCreateParams.Components.PaymentElement.Features

const EVERYTHING: Features = {
  payment_method_redisplay: 'enabled',
  payment_method_remove: 'enabled',
  payment_method_save: 'enabled',
  payment_method_save_usage: 'off_session',
}

let world: World
let shop: Visit
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())
afterEach(async () => {
  expect(shop.problems).toEqual([])
  await shop.close()
})

/** A customer with cards, oldest first. */
async function customerWith(...templates: string[]) {
  const customer = (await world.sdk.customers.create()).id
  const cards: string[] = []
  for (const template of templates) {
    const { id } = await world.sdk.paymentMethods.attach(template, { customer })
    await world.sdk.paymentMethods.update(id, {
      allow_redisplay: 'always',
      card: { exp_month: 7, exp_year: 2041 },
    })
    cards.push(id)
  }
  return { customer, cards }
}

/** The shop as this customer sees it. */
async function visitAs(
  customer: string,
  features: Features = EVERYTHING,
  {
    intent = {},
    screen = {},
    settings = {},
  }: {
    intent?: Partial<Stripe.PaymentIntentCreateParams>
    screen?: Parameters<typeof visit>[3]
    settings?: Parameters<typeof visit>[2]
  } = {},
) {
  const session = await world.sdk.customerSessions.create({
    customer,
    components: { payment_element: { enabled: true, features } },
  })
  const created = await createIntent(world, { customer, ...intent })
  shop = await visit(
    world,
    created.client_secret,
    { customerSessionClientSecret: session.client_secret, ...settings },
    screen,
  )
  return created
}

const radio = (name: string | RegExp) => shop.frame.getByRole('radio', { name })
const paid = (id: string) => world.sdk.paymentIntents.retrieve(id, { expand: ['payment_method'] })
const events = (name: string) =>
  shop.page.evaluate(
    (wanted) => window.shop.events.filter((event) => event.name === wanted).map((event) => event.detail),
    name,
  )

describe('choosing a saved card', () => {
  it('shows the newest first and chosen, a new card last, and pays with the choice', async () => {
    const { customer, cards } = await customerWith('pm_card_mastercard', 'pm_card_visa')
    const intent = await visitAs(customer)

    const names = await shop.frame
      .getByRole('radio')
      .evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).labels?.[0]?.textContent))
    expect(names).toEqual([
      'Visa •••• ending in 4242 expires 07/41',
      'Mastercard •••• ending in 4444 expires 07/41',
      'New card',
    ])
    expect(await radio(/Visa/).isChecked()).toBe(true)
    expect(await shop.frame.locator('[name=number]').isVisible()).toBe(false)
    await radio(/Mastercard/).check()

    expect(await shop.pay()).toBe('paid succeeded')
    expect((await paid(intent.id)).payment_method).toMatchObject({ id: cards[0] })
  })

  it('a change of the choice is told with the payment method', async () => {
    const { customer, cards } = await customerWith('pm_card_mastercard', 'pm_card_visa')
    await visitAs(customer)

    await radio(/Mastercard/).check()
    await radio('New card').check()

    await expect.poll(async () => (await events('change')).length).toBeGreaterThan(1)
    const changes = (await events('change')) as { complete: boolean; value: object }[]
    expect(changes[0]).toMatchObject({
      complete: true,
      empty: false,
      value: { type: 'card', payment_method: { id: cards[0], type: 'card' } },
    })
    expect(changes.at(-1)).toMatchObject({ complete: false, empty: true, value: { type: 'card' } })
    expect(changes.at(-1)?.value).not.toHaveProperty('payment_method')
  })

  it('a saved card that must be authenticated shows the challenge', async () => {
    const { customer } = await customerWith('pm_card_authenticationRequired')
    await visitAs(customer)

    await shop.page.getByRole('button', { name: 'Pay' }).click()
    await shop.page.frameLocator('dialog[open] iframe').locator('#test-source-authorize-3ds').click()

    const result = shop.page.getByLabel('Result').filter({ hasText: /./ })
    expect(await result.textContent()).toBe('paid succeeded')
  })

  it('without cards, or without leave to show them, there are the card fields alone', async () => {
    const { customer } = await customerWith('pm_card_visa')
    await visitAs(customer, {})

    expect(await shop.frame.getByRole('radio').count()).toBe(0)
    expect(await shop.frame.getByRole('checkbox').count()).toBe(0)
    await fillCard(shop, '4242424242424242')
    expect(await shop.pay()).toBe('paid succeeded')
  })

  it('is done with the keyboard alone', async () => {
    const { customer, cards } = await customerWith('pm_card_mastercard', 'pm_card_visa')
    const intent = await visitAs(customer)

    await shop.page.evaluate(() => window.shop.elements?.getElement('payment')?.focus())
    await shop.page.waitForFunction(() => window.shop.events.some(({ name }) => name === 'focus'))
    await shop.page.keyboard.press('ArrowDown')
    expect(await radio(/Mastercard/).isChecked()).toBe(true)
    await shop.page.getByRole('button', { name: 'Pay' }).focus()
    await shop.page.keyboard.press('Enter')

    expect(await shop.page.getByLabel('Result').filter({ hasText: /./ }).textContent()).toBe('paid succeeded')
    expect((await paid(intent.id)).payment_method).toMatchObject({ id: cards[0] })
  })

  it('a deferred group pays with the choice', async () => {
    const { customer, cards } = await customerWith('pm_card_visa')
    const intent = await visitAs(customer, EVERYTHING, {
      settings: { deferred: { mode: 'subscription', amount: 1099, currency: 'usd' } },
    })

    expect(await shop.pay()).toBe('paid succeeded')
    expect((await paid(intent.id)).payment_method).toMatchObject({ id: cards[0] })
  })

  it('a confirmation token stands for the choice', async () => {
    const { customer, cards } = await customerWith('pm_card_visa')
    await visitAs(customer, EVERYTHING, { settings: { deferred: { amount: 1099, currency: 'usd' } } })

    const token = await shop.page.evaluate(async () => {
      const { stripe, elements } = window.shop
      if (!stripe || !elements) return null
      await elements.submit()
      const { confirmationToken } = await stripe.createConfirmationToken({ elements })
      return confirmationToken?.id ?? null
    })
    const payment = await world.sdk.paymentIntents.create({
      amount: 1099,
      currency: 'usd',
      customer,
      confirm: true,
      confirmation_token: token ?? '',
    })

    expect(payment).toMatchObject({ status: 'succeeded', payment_method: cards[0] })
  })

  it('a session that is unknown makes the element fail to load', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, {
      customerSessionClientSecret: 'cuss_secret_unknown',
      ready: false,
    })
    await shop.page.waitForFunction(() => window.shop.events.some(({ name }) => name === 'loaderror'))

    expect(await shop.frame.getByRole('alert').first().textContent()).toContain('could not be loaded')
  })
})

describe('removing a saved card', () => {
  it('asks first, removes it, says so to the page, and goes on to the next', async () => {
    const { customer, cards } = await customerWith('pm_card_mastercard', 'pm_card_visa')
    await visitAs(customer)

    await shop.frame.getByRole('button', { name: 'Remove Visa ending in 4242' }).click()
    await shop.frame.getByRole('button', { name: 'Keep Visa' }).click()
    expect(await radio(/Visa/).count()).toBe(1)
    await shop.frame.getByRole('button', { name: 'Remove Visa ending in 4242' }).click()
    await shop.frame.getByRole('button', { name: 'Remove Visa ending in 4242 for good' }).click()

    await shop.frame.getByRole('status').filter({ hasText: 'Visa ending in 4242 was removed.' }).waitFor()
    expect(await radio(/Visa/).count()).toBe(0)
    expect(await radio(/Mastercard/).isChecked()).toBe(true)
    await expect
      .poll(() => events('savedpaymentmethodremove'))
      .toMatchObject([
        { elementType: 'payment', success: true, payment_method: { id: cards[1], type: 'card' } },
      ])
    const { data } = await world.sdk.customers.listPaymentMethods(customer)
    expect(data.map(({ id }) => id)).toEqual([cards[0]])
  })

  it('the last one gone, the card fields are there', async () => {
    const { customer } = await customerWith('pm_card_visa')
    await visitAs(customer)

    await shop.frame.getByRole('button', { name: 'Remove Visa ending in 4242' }).click()
    await shop.frame.getByRole('button', { name: /for good/ }).click()
    await shop.frame.getByText('was removed').waitFor()

    expect(await shop.frame.getByRole('radio').count()).toBe(0)
    await fillCard(shop, '4242424242424242')
    expect(await shop.pay()).toBe('paid succeeded')
  })

  it('a card that is gone already says why it cannot be removed', async () => {
    const { customer, cards } = await customerWith('pm_card_visa')
    await visitAs(customer)
    await world.sdk.paymentMethods.detach(cards[0] ?? '')

    await shop.frame.getByRole('button', { name: 'Remove Visa ending in 4242' }).click()
    await shop.frame.getByRole('button', { name: /for good/ }).click()

    await shop.frame.getByText('could not be removed').waitFor()
    await expect.poll(() => events('savedpaymentmethodremove')).toMatchObject([{ success: false }])
  })

  it('there is no button when it is not allowed', async () => {
    const { customer } = await customerWith('pm_card_visa')
    await visitAs(customer, { payment_method_redisplay: 'enabled' })

    expect(await shop.frame.getByRole('button').count()).toBe(0)
  })
})

describe('saving a new card', () => {
  it('ticked, the card is kept for the customer and may be shown again', async () => {
    const { customer } = await customerWith('pm_card_mastercard')
    const intent = await visitAs(customer)

    await radio('New card').check()
    await fillCard(shop, '4242424242424242')
    await shop.frame.getByRole('checkbox', { name: 'Save this card for later payments' }).check()
    expect(await shop.pay()).toBe('paid succeeded')

    expect(await paid(intent.id)).toMatchObject({
      setup_future_usage: 'off_session',
      payment_method: { customer, allow_redisplay: 'always', card: { last4: '4242' } },
    })
    expect(((await events('change')) as { value: object }[]).at(-1)?.value).toMatchObject({
      savePaymentMethod: true,
    })
  })

  it('not ticked, it is not kept', async () => {
    const { customer } = await customerWith()
    const intent = await visitAs(customer)

    await fillCard(shop, '4242424242424242')
    await shop.pay()

    expect(await paid(intent.id)).toMatchObject({
      setup_future_usage: null,
      payment_method: { customer: null, allow_redisplay: 'unspecified' },
    })
  })

  it('kept by the shop without a tick, it may be shown to a limited extent', async () => {
    const { customer } = await customerWith()
    const intent = await visitAs(customer, EVERYTHING, { intent: { setup_future_usage: 'off_session' } })

    await fillCard(shop, '4242424242424242')
    await shop.pay()

    expect(await paid(intent.id)).toMatchObject({ payment_method: { customer, allow_redisplay: 'limited' } })
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each([360, 800])('axe finds nothing in the list of saved cards at %i pixels', async (width) => {
    const theme = colorScheme === 'dark' ? 'night' : 'stripe'
    const { customer } = await customerWith('pm_card_mastercard', 'pm_card_amex')
    await visitAs(customer, EVERYTHING, {
      screen: { colorScheme, width },
      settings: { appearance: { theme } },
    })
    const picture = async (name: string) => {
      if (SCREENSHOTS)
        await shop.page.screenshot({ path: `${SCREENSHOTS}/${name}-${colorScheme}-${width}.png` })
    }

    const chosen = await accessibilityProblems(shop.page)
    await picture('saved-chosen')
    await shop.frame.getByRole('button', { name: 'Remove American Express' }).click()
    const removing = await accessibilityProblems(shop.page)
    await picture('saved-removing')
    await shop.frame.getByRole('button', { name: 'Keep American Express' }).click()
    await radio('New card').check()
    const fresh = await accessibilityProblems(shop.page)
    await picture('saved-new')

    expect({ chosen, removing, fresh }).toEqual({ chosen: [], removing: [], fresh: [] })
    const overflow = await shop.frame.locator('html').evaluate((root) => root.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })
})
