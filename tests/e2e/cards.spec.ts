import type { FrameLocator, Page } from '@playwright/test'
import { adminSql } from '../support/db'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'
import { expect, expectAccessible, test } from './fixtures'
import { CARDS, cardFields, enterCard, expectPaid, payButton, placeOrder, signUp } from './journeys'

const challenge = (page: Page) => page.frameLocator('iframe[src*="/3ds/"]')
const stripeFrame = (page: Page) => page.frameLocator('iframe[name^="__privateStripeFrame"]').first()
const saveButton = (page: Page) => page.getByRole('button', { name: 'Save card' })

async function openAddCard(page: Page): Promise<FrameLocator> {
  await page.goto(`${stack().appOrigin}/cards`)
  await page.getByRole('link', { name: 'Add a card' }).click()
  await page.waitForURL('**/cards/new')
  return await cardFields(page)
}

async function addCard(page: Page, number: string): Promise<void> {
  await enterCard(await openAddCard(page), number)
  await page.getByRole('checkbox').check()
  await saveButton(page).click()
  if (number === CARDS.threeDSecure) await challenge(page).locator('#test-source-authorize-3ds').click()
  await page.waitForURL('**/cards')
}

/** To the checkout of a new order, where Stripe's fields offer what was saved. */
async function checkoutWith(page: Page, card: RegExp): Promise<FrameLocator> {
  await placeOrder(page)
  await page.getByRole('link', { name: /^Pay / }).click()
  await page.waitForURL('**/checkout/*')
  await expect(stripeFrame(page).getByRole('radio', { name: card })).toBeChecked()
  return stripeFrame(page)
}

test('a card is saved with consent, becomes the default, pays in one step, and is removed', async ({
  page,
}) => {
  // A whole life of a card, judged three times: on a machine that is busy this takes more than the usual time.
  test.setTimeout(180_000)
  const { email } = await signUp(page)
  await page.getByRole('button', { name: `Account: ${email}` }).click()
  await page.getByRole('link', { name: 'Cards' }).click()
  await expect(page.getByRole('heading', { name: 'No saved cards' })).toBeVisible()
  await enterCard(await openAddCard(page), CARDS.pays)

  await saveButton(page).click()
  await expect(page.getByRole('main').getByRole('alert')).toContainText('consent')
  await expectAccessible(page)
  const [before] = await adminSql()`select count(*)::int as n from private.card_setups s
    join public.customers c on c.id = s.customer_id join auth.users u on u.id = c.user_id where u.email = ${email}`
  expect(before?.n).toBe(0)
  await page.getByRole('checkbox').check()
  await saveButton(page).click()

  await page.waitForURL('**/cards')
  const list = page.getByRole('region', { name: 'Your cards' })
  await expect(list).toContainText('4242')
  await expect(list).toContainText('Expires 12/34')
  await page.getByRole('button', { name: /^Make default/ }).click()
  await expect(list.getByText('Default', { exact: true })).toBeVisible()

  await checkoutWith(page, /Visa .*4242/)
  await expectAccessible(page)
  await payButton(page).click()
  await expectPaid(page)

  await page.goto(`${stack().appOrigin}/cards`)
  await page.getByRole('button', { name: /^Remove card/ }).click()
  await expect(page.getByRole('button', { name: 'Keep' })).toBeFocused()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'No saved cards' })).toBeVisible()
})

test('a saved card that needs 3-D Secure pays with it; once expired it says so, and another card pays', async ({
  page,
}) => {
  const { email } = await signUp(page)
  await addCard(page, CARDS.threeDSecure)

  await checkoutWith(page, /Visa .*3184/)
  await payButton(page).click()
  await challenge(page).locator('#test-source-authorize-3ds').click()
  await expectPaid(page)

  await expireCardOf(email)
  await page.goto(`${stack().appOrigin}/cards`)
  await expect(page.getByRole('region', { name: 'Your cards' })).toContainText('Expired')
  await expect(page.getByRole('button', { name: /^Make default/ })).toHaveCount(0)
  const frame = await checkoutWith(page, /Visa .*3184/)
  await payButton(page).click()
  await challenge(page).locator('#test-source-authorize-3ds').click()
  await expect(page.getByRole('main').getByRole('alert')).toContainText('expired')
  await frame.getByRole('radio', { name: 'New card' }).check()
  await enterCard(frame, CARDS.pays)
  // By keyboard: the fields that have just appeared move the button while a mouse is on its way to it.
  await payButton(page).press('Enter')
  await expectPaid(page)
})

test('a card that the bank declines, or does not confirm, is not saved, and another one is', async ({
  page,
}) => {
  await signUp(page)
  const frame = await openAddCard(page)
  await page.getByRole('checkbox').check()
  const alert = page.getByRole('main').getByRole('alert')

  await enterCard(frame, CARDS.declined)
  await saveButton(page).click()
  await expect(alert).toContainText('declined')
  await enterCard(frame, CARDS.threeDSecure)
  await saveButton(page).click()
  await challenge(page).locator('#test-source-fail-3ds').click()
  await expect(alert).toContainText('confirm that it is you')
  await enterCard(frame, CARDS.pays)
  await saveButton(page).click()

  await page.waitForURL('**/cards')
  await expect(page.getByRole('region', { name: 'Your cards' }).getByRole('listitem')).toHaveCount(1)
})

test('after too many refusals no card is taken; the page says so, and goes on when the wait is over', async ({
  page,
}) => {
  const { email } = await signUp(page)
  const frame = await openAddCard(page)
  await page.getByRole('checkbox').check()
  const alert = page.getByRole('main').getByRole('alert')
  await enterCard(frame, CARDS.declined)
  await saveButton(page).click()
  await expect(alert).toContainText('declined')
  const [setup] =
    await adminSql()`select s.stripe_setup_intent_id as id, s.customer_id as customer from private.card_setups s
    join public.customers c on c.id = s.customer_id join auth.users u on u.id = c.user_id where u.email = ${email}`
  const { setupIntents } = stripeSdk()
  for (let n = 0; n < 4; n++)
    await setupIntents.confirm(setup?.id, { payment_method: 'pm_card_visa_chargeDeclined' }).catch(() => {})
  await expect.poll(async () => (await setupIntents.retrieve(setup?.id)).status).toBe('canceled')

  await enterCard(frame, CARDS.pays)
  await saveButton(page).click()
  await expect(alert).toContainText('Several cards were not accepted. Please wait')
  await expectAccessible(page)
  await adminSql()`update private.payment_attempts set created_at = created_at - interval '1 hour'
    where customer_id = ${setup?.customer}`
  await saveButton(page).click()

  await page.waitForURL('**/cards')
  await expect(page.getByRole('region', { name: 'Your cards' }).getByRole('listitem')).toHaveCount(1)
})

async function expireCardOf(email: string): Promise<void> {
  const [row] = await adminSql()`select s.stripe_customer_id as id from private.stripe_customers s
    join public.customers c on c.id = s.customer_id join auth.users u on u.id = c.user_id where u.email = ${email}`
  const { data } = await stripeSdk().customers.listPaymentMethods(String(row?.id))
  const lastYear = new Date().getUTCFullYear() - 1
  for (const { id } of data)
    await stripeSdk().paymentMethods.update(id, { card: { exp_month: 12, exp_year: lastYear } })
}
