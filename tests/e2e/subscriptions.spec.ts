import type { Page } from '@playwright/test'
import { advanceClock } from '../sandbox/stripe/support/billing'
import { onTestClock, PLANS, priceOf } from '../support/billing'
import { adminSql } from '../support/db'
import { until } from '../support/paid'
import { mailsTo } from '../support/people'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'
import { expect, expectAccessible, test } from './fixtures'
import { CARDS, cardFields, enterCard, payButton, signUp } from './journeys'
import {
  accessOf,
  chargeAnotherCard,
  DAY,
  enterCardAtStripe,
  openPortal,
  personOf,
  statusOf,
  subscriber,
} from './subscribers'

const url = (path: string) => `${stack().appOrigin}${path}`

/** From the plans to Stripe's page, and pay there. */
async function subscribeOnPage(page: Page, plan = 'Premium'): Promise<void> {
  await page.goto(url('/plans'))
  await page.getByRole('button', { name: `Subscribe to ${plan}` }).click()
  await page.waitForURL('**/c/pay/**')
  await payOnStripesPage(page)
  await page.waitForURL('**/subscription**')
}

/** What the scheduler does every minute. */
const runJob = (name: string) =>
  fetch(url(`/api/cron/${name}`), {
    method: 'POST',
    headers: { authorization: `Bearer ${stack().env.CRON_SECRET}` },
  })

async function payOnStripesPage(page: Page): Promise<void> {
  const email = page.getByLabel('Email')
  if (await email.isVisible()) await email.fill('ada@example.test')
  await enterCardAtStripe(page)
  await page.getByRole('button', { name: /^(Subscribe|Pay)/ }).click()
}

/** The portal has answered: who left it before would meet its answer half way. */
const expectTold = (page: Page, words: string) => expect(page.getByRole('status').first()).toHaveText(words)

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
    const frame = await cardFields(page)
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
    await openPortal(page, 'Change, cancel or update card')
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

test('the portal: another plan, cancelled and resumed, another card; our pages follow', async ({ page }) => {
  const { person, stripeCustomer, subscription } = await subscriber(page, PLANS.basic, 'basic')
  const plan = page.getByRole('region', { name: /Basic|Premium/ })
  const cancelAt = async () => {
    const [row] =
      await adminSql()`select cancel_at from public.subscriptions where stripe_subscription_id = ${subscription}`
    return row?.cancel_at
  }
  await openPortal(page, 'Change, cancel or update card')

  await page.getByLabel('Change to').selectOption(await priceOf(PLANS.premium))
  await page.getByRole('button', { name: 'Change plan' }).click()
  await expectTold(page, 'Your plan is changed.')
  await until(async () => (await accessOf(person)) === 'premium active')
  await page.getByRole('link', { name: 'Return to the shop' }).click()
  await expect(plan.getByRole('heading')).toHaveText('Premium')

  await openPortal(page, 'Change, cancel or update card')
  await page.getByText('Cancel subscription').click()
  await page.getByRole('button', { name: 'Cancel at the end of the period' }).click()
  await expectTold(page, 'Your subscription is cancelled.')
  await until(async () => (await cancelAt()) !== null)
  await page.goto(url('/subscription'))
  await expect(plan).toContainText('Ending')
  await openPortal(page, 'Resume or change')
  await page.getByRole('button', { name: 'Keep subscription' }).click()
  await expectTold(page, 'Your subscription goes on.')
  await until(async () => (await cancelAt()) === null)
  await page.goto(url('/subscription'))
  await expect(plan).toContainText('Active')
  await expect(plan).toContainText('Renews')
  expect(await accessOf(person)).toBe('premium active')

  await openPortal(page, 'Change, cancel or update card')
  await page.getByText('Add a card').click()
  await enterCardAtStripe(page, CARDS.mastercard)
  await page.getByRole('button', { name: 'Save card' }).click()
  await expect(page.getByText('The new card is used from now on.')).toBeVisible()
  await page.goto(url('/cards'))
  const card = page.getByRole('listitem').filter({ hasText: '4444' })
  await expect(card.getByText('Default', { exact: true })).toBeVisible()
  const { default_payment_method: charged } = await stripeSdk().subscriptions.retrieve(subscription, {
    expand: ['default_payment_method'],
  })
  expect(charged).toMatchObject({ card: { last4: '4444' }, customer: stripeCustomer })
})

test('when the grace is over access is gone; the page says so, and another card brings it back', async ({
  page,
}) => {
  const { person, stripeCustomer, clock } = await subscriber(page, PLANS.basic, 'basic')
  await chargeAnotherCard(stripeCustomer, 'pm_card_chargeCustomerFail')
  await advanceClock(stripeSdk(), clock, 32 * DAY)
  await until(async () => (await accessOf(person)) === 'basic grace')

  // As if a day had gone by; the job that notes the end has not run yet.
  await adminSql()`update public.invoices i set grace_ends_at = now() from public.customers c
    where c.id = i.customer_id and c.user_id = ${person.id} and i.grace = 'running'`

  expect(await accessOf(person)).toBeNull()
  await page.goto(url('/subscription'))
  const notice = page.getByText('What belongs to this plan is closed until the payment is made.')
  await expect(notice).toBeVisible()
  await expectAccessible(page)
  await runJob('grace')
  await page.reload()
  await expect(notice).toBeVisible()
  await page.getByRole('link', { name: 'Pay now' }).click()
  await page.waitForURL('**/checkout/invoices/*')
  await enterCard(await cardFields(page), CARDS.pays)
  await payButton(page).click()
  await page.waitForURL('**/payments/*/result')
  await until(async () => (await accessOf(person)) === 'basic active')
  await page.goto(url('/subscription'))
  await expect(page.getByText('Active')).toBeVisible()
  await expect(notice).toBeHidden()
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
  const { customer, person, stripeCustomer, clock } = await subscriber(page, PLANS.elite, 'elite')
  await chargeAnotherCard(stripeCustomer, 'pm_card_authenticationRequired')
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
  await runJob('outbox')
  await until(async () =>
    (await mailsTo(stack().mailboxUrl, customer.email)).some(({ links }) =>
      links.some((link) => link.includes(confirmation)),
    ),
  )
})
