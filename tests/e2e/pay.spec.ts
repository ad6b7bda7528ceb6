import { allHandled } from '../support/all-handled'
import { adminSql } from '../support/db'
import { isSettled, knowsItsCard, until } from '../support/paid'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'
import { expect, expectAccessible, holdsCardNumber, test } from './fixtures'
import {
  CARDS,
  enterCard,
  expectPaid,
  openCheckout,
  payButton,
  payForSomething,
  placeOrder,
  signIn,
  signUp,
} from './journeys'

const intentsOf = async (orderId: string) =>
  (await stripeSdk().paymentIntents.list({ limit: 100, expand: ['data.latest_charge'] })).data.filter(
    (intent) => intent.metadata.order_id === orderId,
  )

const statusOf = async (orderId: string) =>
  (await adminSql()`select status from public.payments where order_id = ${orderId}`)[0]?.status

/** How the tries to pay an order ended, as far as we have heard. */
const outcomesOf = async (orderId: string) => {
  const rows = await adminSql()`
    select a.outcome from private.payment_attempts a join public.payments p on p.id = a.payment_id
    where p.order_id = ${orderId} order by a.created_at`
  return rows.map(({ outcome }) => outcome)
}

test('a newcomer signs up, pays with a test card, and finds the payment in the history', async ({
  page,
  watched,
}) => {
  await signUp(page)
  const orderId = await placeOrder(page)
  await expectAccessible(page)
  const frame = await openCheckout(page)
  await expectAccessible(page)
  await enterCard(frame, CARDS.pays)
  // A page that has waited for seconds asks Stripe itself. On a slow machine it comes when the webhook has been.
  await page.route('**/payments/*/result', async (route) => {
    await until(async () => (await statusOf(orderId)) === 'succeeded')
    await route.continue()
  })
  await payButton(page).click()

  const paymentId = await expectPaid(page)

  await expectAccessible(page)
  const causes = await adminSql()`
    select source from private.audit_log where subject_id = ${paymentId} and action = 'payment.succeeded'`
  expect(
    causes.map((cause) => cause.source),
    'what made it paid',
  ).toEqual(['webhook'])
  expect(watched.requests.filter((request) => request.url().endsWith('/sync'))).toEqual([])
  expect(await intentsOf(orderId)).toHaveLength(1)

  await knowsItsCard(paymentId)
  await page.goto(`${stack().appOrigin}/payments`)
  await expect(page.getByRole('main')).toContainText('€24.00'.slice(1))
  await expect(page.getByRole('main')).toContainText('Paid')
  await expect(page.getByRole('main')).toContainText('4242')
  await expectAccessible(page)
  await page.locator(`main a[href="/payments/${paymentId}"]`).first().click()
  await expect(page.getByRole('heading', { name: '€24.00' })).toBeVisible()
  await expect(page.getByText('What happened')).toBeVisible()
  await expectAccessible(page)
})

test('a declined card is explained, and another card pays the same payment', async ({ page }) => {
  await signUp(page)
  const orderId = await placeOrder(page)
  const frame = await openCheckout(page)
  await enterCard(frame, CARDS.insufficientFunds)
  await payButton(page).click()

  const explanation = page.getByRole('main').getByRole('alert').first()
  await expect(explanation).toContainText(/another card/i)
  await expect(explanation).not.toContainText(/insufficient_funds|card_declined/)
  await expectAccessible(page)
  await expect(payButton(page)).toBeEnabled()
  await expect.poll(() => outcomesOf(orderId)).toEqual(['failed'])
  await enterCard(frame, CARDS.pays)
  await payButton(page).click()

  await expectPaid(page)
  const intents = await intentsOf(orderId)
  expect(intents).toHaveLength(1)
  await expect.poll(() => outcomesOf(orderId)).toEqual(['failed', 'succeeded'])
})

test('3-D Secure that fails can be tried again, and that passes pays', async ({ page }) => {
  await signUp(page)
  const orderId = await placeOrder(page)
  const frame = await openCheckout(page)
  await enterCard(frame, CARDS.threeDSecure)
  const challenge = () => page.frameLocator('iframe[src*="/3ds/"]')

  await payButton(page).click()
  await challenge().locator('#test-source-fail-3ds').click()
  await expect(page.getByRole('main').getByRole('alert').first()).toBeVisible()
  await expect(payButton(page)).toBeEnabled()

  await enterCard(frame, CARDS.threeDSecure)
  await payButton(page).click()
  await challenge().locator('#test-source-authorize-3ds').click()

  await expectPaid(page)
  expect(await intentsOf(orderId)).toMatchObject([{ status: 'succeeded' }])
})

test('3-D Secure that passes at once pays', async ({ page }) => {
  await signUp(page)
  await placeOrder(page)
  await enterCard(await openCheckout(page), CARDS.threeDSecure)
  await payButton(page).click()

  await page.frameLocator('iframe[src*="/3ds/"]').locator('#test-source-authorize-3ds').click()

  await expectPaid(page)
})

test('a double click pays once', async ({ page }) => {
  await signUp(page)
  const orderId = await placeOrder(page)
  await enterCard(await openCheckout(page), CARDS.pays)

  await payButton(page).dblclick()

  const paymentId = await expectPaid(page)
  expect(await intentsOf(orderId)).toHaveLength(1)
  const charges = await stripeSdk().charges.list({ payment_intent: (await intentsOf(orderId))[0]?.id })
  expect(charges.data).toHaveLength(1)
  await isSettled(paymentId)
  const postings =
    await adminSql()`select movement from private.ledger_transactions where payment_id = ${paymentId} order by 1`
  expect(postings.map(({ movement }) => movement)).toEqual(['charge', 'settlement'])
})

test('an amount without decimals, and one with three, are shown and paid as they are', async ({ page }) => {
  await signUp(page)
  for (const [product, label, amount] of [
    ['Tea tin', /¥1,800/, 1800],
    ['Walking map', /12\.500/, 12_500],
  ] as const) {
    const orderId = await placeOrder(page, product)
    await enterCard(await openCheckout(page), CARDS.pays)
    await expect(payButton(page)).toHaveText(label)
    await payButton(page).click()
    await expectPaid(page)
    expect(await intentsOf(orderId)).toMatchObject([{ amount, status: 'succeeded' }])
  }
})

test('the result page asks the server, which asks Stripe, when the webhook does not come', async ({
  page,
}) => {
  await signUp(page)
  const orderId = await placeOrder(page)
  const frame = await openCheckout(page)
  const [intent] = await intentsOf(orderId)
  await allHandled(String(intent?.customer))
  await withoutWebhooks(async () => {
    await enterCard(frame, CARDS.pays)
    await payButton(page).click()

    const paymentId = await expectPaid(page)

    const causes = await adminSql()`
      select source from private.audit_log where subject_id = ${paymentId} and action = 'payment.succeeded'`
    expect(causes.map((cause) => cause.source)).toEqual(['sync'])
  })
})

test('a payment in progress is shown as that, and the page notices when it is done', async ({ page }) => {
  await signUp(page)
  const { orderId, paymentId } = await payForSomething(page)
  // At Stripe it is paid: neither an event that is still to come nor the page's own question may tell.
  await isSettled(paymentId)
  await page.route('**/sync', (route) => route.fulfill({ status: 429 }))
  await adminSql()`update public.payments set status = 'processing', paid_at = null where id = ${paymentId}`
  await page.goto(`${stack().appOrigin}/payments/${paymentId}/result`)

  await expect(page.getByRole('main')).toContainText(/safe/i)
  await expectAccessible(page)
  await adminSql()`update public.payments set status = 'succeeded', paid_at = now() where id = ${paymentId}`

  await expectPaid(page)
  expect(orderId).not.toBe('')
})

test('another customer sees none of it, and after signing out nobody does', async ({ page, browser }) => {
  const ada = await signUp(page)
  const { orderId, paymentId } = await payForSomething(page)
  const other = await browser.newContext()
  const hers = await other.newPage()
  await signUp(hers)

  for (const path of [
    `/payments/${paymentId}`,
    `/payments/${paymentId}/result`,
    `/orders/${orderId}`,
    `/checkout/${orderId}`,
  ]) {
    const response = await hers.goto(`${stack().appOrigin}${path}`)
    expect(response?.status(), path).toBe(404)
  }
  await hers.goto(`${stack().appOrigin}/payments`)
  await expect(hers.getByRole('main')).not.toContainText('24.00')
  await other.close()

  await page.goto(`${stack().appOrigin}/payments`)
  await page.getByRole('button', { name: /^Account/ }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('link', { name: 'Sign in' }).first()).toBeVisible()
  await page.goto(`${stack().appOrigin}/payments/${paymentId}`)
  await page.waitForURL('**/sign-in?next=**')
  await page.goBack()
  await expect(page.getByRole('main')).not.toContainText('4242')

  await signIn(page, ada)
  await page.goto(`${stack().appOrigin}/payments/${paymentId}`)
  await expect(page.getByRole('main')).toContainText('4242')
})

test('the card number goes to Stripe alone, and tokens stay in the cookie (A1, A3)', async ({
  page,
  watched,
}) => {
  await signUp(page)
  const { orderId } = await payForSomething(page)
  const app = stack().appOrigin
  const stripe = new URL(stack().env.STRIPE_API_BASE ?? '').origin
  const withCard = watched.requests.filter((request) => holdsCardNumber(request.postData() ?? ''))

  expect(withCard.length).toBeGreaterThan(0)
  expect([...new Set(withCard.map((request) => new URL(request.url()).origin))]).toEqual([stripe])

  for (const path of ['/', '/payments', `/orders/${orderId}`, '/sign-in']) {
    await page.goto(`${app}${path}`)
    const exposed = await page.evaluate(() => ({
      html: document.documentElement.outerHTML,
      local: JSON.stringify(localStorage),
      session: JSON.stringify(sessionStorage),
      cookie: document.cookie,
      url: location.href,
    }))
    for (const [where, text] of Object.entries(exposed))
      expect(text, `${path} ${where}`).not.toMatch(/eyJ[\w-]{20,}/)
    expect(exposed.cookie).toBe('')
  }
  expect(watched.setCookies.length).toBeGreaterThan(0)
  for (const line of watched.setCookies) {
    expect(line.replace(/=[^;]*/, '=…')).toMatch(/HttpOnly/i)
    expect(line).toMatch(/SameSite=Lax/i)
    expect(line).toMatch(/Path=\/(;|$)/i)
    expect(line).not.toMatch(/Domain=/i)
  }
})
