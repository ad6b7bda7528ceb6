import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createIntent, fillCard, startWorld, type Visit, visit, type World } from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

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

/** What the frame has told the page so far: it comes a little later than what it tells of. */
const events = (name: string) =>
  shop.page.evaluate((wanted) => window.shop.events.filter((event) => event.name === wanted), name)

describe('the Payment Element in a React page', () => {
  beforeEach(async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
  })

  it('StrictMode leaves one frame and one Elements group, and the SDKs register themselves', async () => {
    const frames = shop.page.locator('iframe[name^="__privateStripeFrame"]')
    const calls = await shop.page.evaluate(() => window.shop.calls)

    expect(await frames.count()).toBe(1)
    expect(await frames.getAttribute('title')).toBe('Secure payment input frame')
    expect(calls.filter((call) => call === 'elements')).toHaveLength(1)
    expect(calls).toContain('registerAppInfo')
  })

  it('announces loading, then readiness with the element itself', async () => {
    expect((await events('loaderstart')).length).toBeGreaterThan(0)
    expect(await events('ready')).toEqual([{ name: 'ready', detail: 'object' }])
  })

  it('reports focus, change, escape and blur for the element as a whole', async () => {
    await shop.frame.locator('[name=number]').focus()
    await fillCard(shop, '4242424242424242')
    await shop.frame.locator('[name=cvc]').press('Escape')
    await shop.page.getByRole('button', { name: 'Pay' }).focus()

    await expect.poll(() => events('blur')).toHaveLength(1)
    expect(await events('focus')).toHaveLength(1)
    expect(await events('escape')).toHaveLength(1)
    expect((await events('change')).at(-1)?.detail).toEqual({
      elementType: 'payment',
      complete: true,
      empty: false,
      collapsed: false,
      value: { type: 'card' },
    })
  })

  it('groups the number while typing, keeps the caret, and names the brand', async () => {
    const number = shop.frame.locator('[name=number]')
    await number.pressSequentially('42424242')
    for (let step = 0; step < 4; step += 1) await number.press('ArrowLeft')
    await number.pressSequentially('55')

    expect(await number.inputValue()).toBe('4242 5542 42')
    expect(await number.evaluate((input: HTMLInputElement) => input.selectionStart)).toBe(7)
    expect(await number.getAttribute('placeholder')).toBe('1234 1234 1234 1234')
    expect(await shop.frame.locator('#number-brand').textContent()).toBe('Visa')
  })

  it('asks for four digits on the front of an American Express card', async () => {
    await fillCard(shop, '378282246310005', { cvc: '12345' })

    expect(await shop.frame.locator('[name=number]').inputValue()).toBe('3782 822463 10005')
    expect(await shop.frame.locator('[name=cvc]').inputValue()).toBe('1234')
    expect(await shop.frame.locator('#number-brand').textContent()).toBe('American Express')
  })

  it('lets a typed date be deleted again with the backspace key', async () => {
    const expiry = shop.frame.locator('[name=expiry]')
    await expiry.pressSequentially('1234')
    for (let press = 0; press < 4; press += 1) await expiry.press('Backspace')

    expect(await expiry.inputValue()).toBe('')
  })

  it('shows an error after leaving a field, tied to it, and takes it back while it is corrected', async () => {
    const number = shop.frame.locator('[name=number]')
    await number.fill('4242424242424241')
    await number.blur()
    const error = shop.frame.getByRole('alert').filter({ hasText: 'Your card number is invalid.' })
    await error.waitFor()

    expect(await number.getAttribute('aria-invalid')).toBe('true')
    expect(await number.getAttribute('aria-describedby')).toContain(await error.getAttribute('id'))
    await number.fill('4242424242424242')
    expect(await number.getAttribute('aria-invalid')).toBeNull()
  })

  it('an error does not move the pay button away while it is being pressed', async () => {
    await fillCard(shop, '4242424242424242', { cvc: '12' })
    const button = shop.page.getByRole('button', { name: 'Pay' })
    await button.hover()
    // A press takes this long on any machine: the time of the page and its frames stands still but for it.
    await shop.page.clock.install()
    await shop.page.clock.pauseAt(Date.now() + 60_000)
    await shop.page.mouse.down()
    await shop.page.clock.runFor(150)
    await shop.page.mouse.up()

    await shop.page.getByText('error validation_error incomplete_cvc').waitFor({ timeout: 5_000 })
  })

  it('grows with its content', async () => {
    const frame = shop.page.locator('iframe[title="Secure payment input frame"]')
    const before = (await frame.boundingBox())?.height ?? 0
    await shop.pay()

    await expect.poll(async () => (await frame.boundingBox())?.height ?? 0).toBeGreaterThan(before + 20)
    const hidden = () => shop.frame.locator('html').evaluate((root) => root.scrollHeight - window.innerHeight)
    await expect.poll(hidden).toBeLessThanOrEqual(0)
  })

  it('can be focused, cleared, unmounted, mounted again and destroyed by the page', async () => {
    await fillCard(shop, '4242424242424242')
    await shop.page.evaluate(() => window.shop.elements?.getElement('payment')?.focus())
    await expect.poll(() => shop.frame.locator('[name=number]:focus').count()).toBe(1)
    await shop.page.evaluate(() => window.shop.elements?.getElement('payment')?.clear())
    await expect.poll(() => shop.frame.locator('[name=number]').inputValue()).toBe('')

    const afterwards = await shop.page.evaluate(() => {
      const element = window.shop.elements?.getElement('payment')
      const container = document.querySelector<HTMLElement>('.StripeElement')
      element?.unmount()
      const whileUnmounted = document.querySelectorAll('iframe[title="Secure payment input frame"]').length
      if (container) element?.mount(container)
      const whileMounted = document.querySelectorAll('iframe[title="Secure payment input frame"]').length
      element?.destroy()
      const left = window.shop.elements?.getElement('payment')
      window.shop.elements?.create('payment')
      return { whileUnmounted, whileMounted, left }
    })

    expect(afterwards).toEqual({ whileUnmounted: 0, whileMounted: 1, left: null })
  })

  it('follows a change of appearance', async () => {
    await shop.page.evaluate(() =>
      window.shop.elements?.update({
        appearance: { theme: 'night', variables: { colorPrimary: 'rgb(1, 2, 3)', borderRadius: '3px' } },
      }),
    )
    const number = shop.frame.locator('[name=number]')
    await number.focus()
    const style = () =>
      number.evaluate((input) => {
        const { outlineColor, borderRadius, backgroundColor } = getComputedStyle(input)
        return { outlineColor, borderRadius, backgroundColor }
      })

    await expect.poll(style).toEqual({
      outlineColor: 'rgb(1, 2, 3)',
      borderRadius: '3px',
      backgroundColor: 'rgb(27, 29, 35)',
    })
  })
})

describe('validation before anything is sent', () => {
  const lastYear = String(new Date().getFullYear() - 1).slice(2)
  it.each([
    ['', {}, 'incomplete_number'],
    ['42424242', {}, 'incomplete_number'],
    ['4242424242424241', {}, 'invalid_number'],
    ['4242424242424242', { expiry: '1' }, 'incomplete_expiry'],
    ['4242424242424242', { expiry: `12 / ${lastYear}` }, 'invalid_expiry_year_past'],
    ['4242424242424242', { cvc: '12' }, 'incomplete_cvc'],
    ['378282246310005', { cvc: '123' }, 'incomplete_cvc'],
  ])('number "%s" with %o is refused as %s', async (number, rest, code) => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    await fillCard(shop, number, rest)

    const result = await shop.pay()

    expect(result).toMatch(new RegExp(`^error validation_error ${code} `))
    expect(shop.requests.filter(({ url }) => url.endsWith('/confirm'))).toEqual([])
  })
})

describe('an element that cannot be shown', () => {
  it('reports loaderror for a PaymentIntent that is not there', async () => {
    shop = await visit(world, 'pi_missing_secret_none', { ready: false })
    await shop.page.waitForFunction(() => window.shop.events.some((event) => event.name === 'loaderror'))

    const [first] = await events('loaderror')
    expect(first?.detail).toMatchObject({ elementType: 'payment', error: { type: 'invalid_request_error' } })
    await shop.frame.getByRole('alert').filter({ hasText: 'could not be loaded' }).waitFor()
  })

  it('reports loaderror for a PaymentIntent that is already paid', async () => {
    const intent = await createIntent(world, {
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'http://localhost/',
    })
    shop = await visit(world, intent.client_secret, { ready: false })
    await shop.page.waitForFunction(() => window.shop.events.some((event) => event.name === 'loaderror'))

    const [first] = await events('loaderror')
    expect(first?.detail).toMatchObject({ error: { code: 'payment_intent_unexpected_state' } })
  })
})
