import type { Page } from '@playwright/test'
import { advanceClock } from '../sandbox/stripe/support/billing'
import { onTestClock, PLANS, priceOf } from '../support/billing'
import { adminSql } from '../support/db'
import { until } from '../support/paid'
import { mailsTo } from '../support/people'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'
import { expect, expectAccessible, test } from './fixtures'
import { CARDS, type Customer, enterCard, payButton, signUp } from './journeys'

const DAY = 86_400
const url = (path: string) => `${stack().appOrigin}${path}`

async function personOf({ email }: Customer): Promise<{ id: string }> {
  const [row] = await adminSql()`select id from auth.users where email = ${email}`
  return { id: String(row?.id) }
}

const statusOf = async (person: { id: string }) => {
  const [row] =
    await adminSql()`select s.status from public.subscriptions s join public.customers c on c.id = s.customer_id
    where c.user_id = ${person.id} order by s.began_at desc limit 1`
  return row?.status
}

const accessOf = async (person: { id: string }) => {
  const [row] = await adminSql()`select e.tier || ' ' || e.state as line from public.customers c,
    private.entitlements(c.id, false) e where c.user_id = ${person.id}`
  return row?.line ?? null
}

/** From the plans to Stripe's page, and pay there. */
async function subscribeOnPage(page: Page, plan = 'Premium'): Promise<void> {
  await page.goto(url('/plans'))
  await page.getByRole('button', { name: `Subscribe to ${plan}` }).click()
  await page.waitForURL('**/c/pay/**')
  await payOnStripesPage(page)
  await page.waitForURL('**/subscription**')
}

async function payOnStripesPage(page: Page): Promise<void> {
  const email = page.getByLabel('Email')
  if (await email.isVisible()) await email.fill('ada@example.test')
  await page.getByLabel('Card number').fill(CARDS.pays)
  await page.getByLabel('Expiration date').fill('12 / 34')
  await page.getByLabel('Security code').fill('123')
  await page.getByRole('button', { name: /^(Subscribe|Pay)/ }).click()
}

test('subscribe, renew, fail, grace, pay, active; then cancel, and it ends', async ({ page }) => {
  test.setTimeout(240_000)
  const customer = await signUp(page)
  const person = await personOf(customer)
  const { customer: stripeCustomer, clock } = await onTestClock(person)

  await page.goto(url('/plans'))
  await expectAccessible(page)
  await subscribeOnPage(page)
  await expect(page.getByRole('heading', { name: 'Premium' })).toBeVisible()
  await expect(page.getByText('Active')).toBeVisible()
  await expectAccessible(page)
  expect(await accessOf(person)).toBe('premium active')
  const [subscription] = (await stripeSdk().subscriptions.list({ customer: stripeCustomer })).data

  await test.step('renews', async () => {
    await advanceClock(stripeSdk(), clock, 32 * DAY)
    await until(async () => {
      const [row] =
        await adminSql()`select count(*)::int as n from public.invoices i join public.subscriptions s on s.id = i.subscription_id
        where s.stripe_subscription_id = ${subscription?.id ?? ''} and i.status = 'paid'`
      return row?.n === 2
    })
    expect(await accessOf(person)).toBe('premium active')
  })

  await test.step('fails: access stays for the grace, and the person is told how to put it right', async () => {
    const card = await stripeSdk().paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: stripeCustomer,
    })
    await stripeSdk().subscriptions.update(subscription?.id ?? '', { default_payment_method: card.id })
    await advanceClock(stripeSdk(), clock, 31 * DAY)
    await until(async () => (await statusOf(person)) === 'past_due')
    expect(await accessOf(person)).toBe('premium grace')
    await page.goto(url('/subscription'))
    await expect(page.getByText('A payment did not go through')).toBeVisible()
    await expect(page.getByText('You keep everything until')).toBeVisible()
    await expectAccessible(page)
  })

  await test.step('is paid with another card, and is active', async () => {
    await page.getByRole('link', { name: 'Pay now' }).click()
    await page.waitForURL('**/checkout/invoices/*')
    const frame = page.frameLocator('iframe[name^="__privateStripeFrame"]').first()
    await expect(frame.getByPlaceholder('1234 1234 1234 1234')).toBeVisible()
    await expectAccessible(page)
    await enterCard(frame, CARDS.pays)
    await payButton(page).click()
    await page.waitForURL('**/payments/*/result')
    await expect(page.getByRole('heading', { name: 'Payment received' })).toBeVisible()
    await until(async () => (await accessOf(person)) === 'premium active')
    await page.goto(url('/subscription'))
    await expect(page.getByText('Active')).toBeVisible()
    await expect(page.getByText('A payment did not go through')).toBeHidden()
  })

  await test.step('is cancelled in the portal at the end of its period, and ends', async () => {
    await page.getByRole('button', { name: 'Change, cancel or update card' }).click()
    await page.waitForURL('**/p/session/**')
    await page.getByText('Cancel subscription').click()
    await page.getByRole('button', { name: 'Cancel at the end of the period' }).click()
    await expect(page.getByText(/Ends on/)).toBeVisible()
    await until(async () => {
      const [row] =
        await adminSql()`select cancel_at from public.subscriptions where stripe_subscription_id = ${subscription?.id ?? ''}`
      return row?.cancel_at != null
    })
    await page.goto(url('/subscription'))
    await expect(page.getByText('Ending')).toBeVisible()
    expect(await accessOf(person)).toBe('premium active')
    await advanceClock(stripeSdk(), clock, 32 * DAY)
    await until(async () => (await statusOf(person)) === 'canceled')
    await page.goto(url('/subscription'))
    await expect(page.getByText('Ended').first()).toBeVisible()
    await expectAccessible(page)
    expect(await accessOf(person)).toBeNull()
  })
})

test('two tabs subscribe at once: one page, one subscription', async ({ page, context }) => {
  const person = await personOf(await signUp(page))
  const other = await context.newPage()
  await Promise.all([page, other].map((tab) => tab.goto(url('/plans'))))

  await Promise.all(
    [page, other].map(async (tab) => {
      await tab.getByRole('button', { name: 'Subscribe to Basic' }).click()
      await tab.waitForURL('**/c/pay/**')
    }),
  )

  expect(new URL(page.url()).pathname).toBe(new URL(other.url()).pathname)
  await payOnStripesPage(page)
  await page.waitForURL('**/subscription**')
  await expect(page.getByRole('heading', { name: 'Basic' })).toBeVisible()
  await other.reload()
  await other.waitForURL('**/subscription**')
  await other.goto(url('/plans'))
  await expect(other.getByText('Your plan')).toBeVisible()
  await expect(other.getByRole('button', { name: /^Subscribe/ })).toHaveCount(0)
  const [row] = await adminSql()`select s.stripe_customer_id as id from private.stripe_customers s
    join public.customers c on c.id = s.customer_id where c.user_id = ${person.id}`
  const all = await stripeSdk().subscriptions.list({ customer: String(row?.id), status: 'all' })
  expect(all.data).toHaveLength(1)
})

test('a bank that asks at a renewal: a mail, a page of the owner, and the question', async ({ page }) => {
  test.setTimeout(120_000)
  const customer = await signUp(page)
  const person = await personOf(customer)
  const { customer: stripeCustomer, clock } = await onTestClock(person, 'pm_card_visa')
  await stripeSdk().subscriptions.create({
    customer: stripeCustomer,
    items: [{ price: await priceOf(PLANS.elite) }],
  })
  const card = await stripeSdk().paymentMethods.attach('pm_card_authenticationRequired', {
    customer: stripeCustomer,
  })
  await stripeSdk().customers.update(stripeCustomer, {
    invoice_settings: { default_payment_method: card.id },
  })
  await until(async () => (await statusOf(person)) === 'active')
  await advanceClock(stripeSdk(), clock, 32 * DAY)
  await until(async () => (await statusOf(person)) === 'past_due')

  await page.goto(url('/subscription'))
  await page.getByRole('link', { name: 'Confirm the payment' }).click()
  await page.waitForURL('**/checkout/invoices/*')
  const confirmation = new URL(page.url()).pathname
  await page.getByRole('button', { name: 'Confirm with your bank' }).click()
  await page.frameLocator('iframe[src*="/3ds/"]').locator('#test-source-authorize-3ds').click()

  await page.waitForURL('**/payments/*/result')
  await expect(page.getByRole('heading', { name: 'Payment received' })).toBeVisible()
  await until(async () => (await accessOf(person)) === 'elite active')
  await fetch(url('/api/cron/outbox'), {
    method: 'POST',
    headers: { authorization: `Bearer ${stack().env.CRON_SECRET}` },
  })
  await until(async () =>
    (await mailsTo(stack().mailboxUrl, customer.email)).some(({ links }) =>
      links.some((link) => link.includes(confirmation)),
    ),
  )
})
