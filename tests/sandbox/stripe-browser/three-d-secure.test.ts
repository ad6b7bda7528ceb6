import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createIntent, fillCard, startWorld, type Visit, visit, type World } from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const ALWAYS_CHALLENGED = '4000002760003184'
const CHALLENGED_THEN_DECLINED = '4000008400001629'

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

const dialog = () => shop.page.getByRole('dialog', { name: '3D Secure authentication' })
const challenge = () => shop.page.frameLocator('dialog[open] iframe[name^="__privateStripeFrame"]')
const result = async () => (await shop.page.getByLabel('Result').filter({ hasText: /./ }).textContent()) ?? ''
const status = async (id: string) => (await world.sdk.paymentIntents.retrieve(id)).status

async function startChallenge(number = ALWAYS_CHALLENGED) {
  const intent = await createIntent(world)
  shop = await visit(world, intent.client_secret)
  await fillCard(shop, number)
  await shop.page.getByRole('button', { name: 'Pay' }).click()
  await challenge().locator('#test-source-authorize-3ds').waitFor()
  return intent
}

describe('3-D Secure in a dialog of the page', () => {
  it('a passed challenge pays', async () => {
    const intent = await startChallenge()
    await challenge().getByRole('button', { name: 'Complete authentication' }).click()

    expect(await result()).toBe('paid succeeded')
    expect(await status(intent.id)).toBe('succeeded')
    expect(await dialog().count()).toBe(0)
  })

  it('a failed challenge is an error, and the next attempt on the same PaymentIntent pays', async () => {
    const intent = await startChallenge()
    await challenge().locator('#test-source-fail-3ds').click()
    const first = await result()
    await shop.page.getByRole('button', { name: 'Pay' }).click()
    await challenge().locator('#test-source-authorize-3ds').click()
    await shop.page.getByText('paid succeeded').waitFor()

    expect(first).toMatch(/^error invalid_request_error payment_intent_authentication_failure /)
    expect(await status(intent.id)).toBe('succeeded')
  })

  it('a card may pass the challenge and be declined afterwards', async () => {
    const intent = await startChallenge(CHALLENGED_THEN_DECLINED)
    await challenge().locator('#test-source-authorize-3ds').click()

    expect(await result()).toMatch(/^error card_error card_declined /)
    expect(await status(intent.id)).toBe('requires_payment_method')
  })

  it.each(['Escape', 'Close'])('%s gives up: the payment waits, and can be taken up again', async (way) => {
    const intent = await startChallenge()
    if (way === 'Escape') await shop.page.keyboard.press('Escape')
    else await challenge().getByRole('button', { name: 'Close' }).click()

    expect(await result()).toBe('paid requires_action')
    expect(await status(intent.id)).toBe('requires_action')
    const again = shop.page.evaluate(
      (clientSecret) => window.shop.stripe?.handleNextAction({ clientSecret }),
      intent.client_secret ?? '',
    )
    await challenge().locator('#test-source-authorize-3ds').click()
    expect(await again).toMatchObject({ paymentIntent: { status: 'succeeded' } })
  })

  it('another card can be tried after giving up', async () => {
    const intent = await startChallenge()
    await shop.page.keyboard.press('Escape')
    await result()
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toBe('paid succeeded')
    expect(await status(intent.id)).toBe('succeeded')
  })

  it('works with the keyboard alone: focus goes in, stays in, and comes back to the pay button', async () => {
    await startChallenge()
    const focusedText = () => challenge().locator(':focus').textContent()

    expect(await focusedText()).toBe('Confirm this payment')
    await shop.page.keyboard.press('Tab')
    expect(await focusedText()).toBe('Complete authentication')
    await shop.page.keyboard.press('Tab')
    expect(await focusedText()).toBe('Fail authentication')
    await shop.page
      .getByRole('button', { name: 'Pay', includeHidden: true })
      .evaluate((button) => button.focus())
    expect(await shop.page.evaluate(() => document.activeElement?.tagName)).not.toBe('BUTTON')
    await shop.page.keyboard.press('Escape')
    await result()

    await expect.poll(() => shop.page.evaluate(() => document.activeElement?.textContent)).toBe('Pay')
  })
})

describe('handleNextAction', () => {
  it('shows the challenge of a PaymentIntent that the server confirmed', async () => {
    const intent = await createIntent(world, {
      payment_method: 'pm_card_threeDSecure2Required',
      confirm: true,
      use_stripe_sdk: true,
      return_url: `${world.shop.origin}/return`,
    })
    shop = await visit(world, intent.client_secret)
    const answer = shop.page.evaluate(
      (clientSecret) => window.shop.stripe?.handleNextAction({ clientSecret }),
      intent.client_secret ?? '',
    )
    await challenge().locator('#test-source-authorize-3ds').click()

    expect(await answer).toMatchObject({ paymentIntent: { id: intent.id, status: 'succeeded' } })
  })

  it('rejects when there is nothing to do', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    const answer = await shop.page.evaluate(
      (clientSecret) => window.shop.stripe?.handleNextAction({ clientSecret }).catch(String),
      intent.client_secret ?? '',
    )

    expect(answer).toContain('not in the requires_action state')
  })

  it.each([
    ['Complete authentication', 'succeeded'],
    ['Fail authentication', 'failed'],
  ])('a redirect challenge ended with "%s" comes back with redirect_status=%s', async (button, outcome) => {
    const intent = await createIntent(world, {
      payment_method: 'pm_card_threeDSecure2Required',
      confirm: true,
      return_url: `${world.shop.origin}/return?order=7`,
    })
    shop = await visit(world, intent.client_secret)
    await shop.page.evaluate((clientSecret) => {
      void window.shop.stripe?.handleNextAction({ clientSecret })
    }, intent.client_secret ?? '')
    await shop.page.waitForURL(`${world.stripeOrigin}/3ds/**`)
    expect(await shop.page.getByRole('button', { name: 'Close' }).count()).toBe(0)
    await shop.page.getByRole('button', { name: button }).click()
    await shop.page.waitForURL('**/return?**')

    expect(Object.fromEntries(new URL(shop.page.url()).searchParams)).toEqual({
      order: '7',
      payment_intent: intent.id,
      payment_intent_client_secret: intent.client_secret,
      redirect_status: outcome,
    })
  })
})

describe('the challenge address', () => {
  const answer = (url: string, body: object, origin: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify(body),
    })

  async function challengeUrl() {
    const intent = await startChallenge()
    const src = await shop.page.locator('dialog[open] iframe').getAttribute('src')
    return { intent, url: src ?? '' }
  }

  it('takes one answer; a second one changes nothing', async () => {
    const { intent, url } = await challengeUrl()
    await answer(url, { answer: 'pass' }, world.stripeOrigin)
    await answer(url, { answer: 'fail' }, world.stripeOrigin)

    expect(await status(intent.id)).toBe('succeeded')
    expect(await (await fetch(url)).text()).toContain('This check is finished')
  })

  it('is not answered by a page of another origin, nor without its token', async () => {
    const { intent, url } = await challengeUrl()
    const foreign = await answer(url, { answer: 'pass' }, world.shop.origin)
    const guessed = await answer(`${world.stripeOrigin}/3ds/guess`, { answer: 'pass' }, world.stripeOrigin)

    expect([foreign.status, guessed.status]).toEqual([403, 404])
    expect(await status(intent.id)).toBe('requires_action')
  })
})
