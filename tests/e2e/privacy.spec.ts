import { readFile } from 'node:fs/promises'
import { adminSql } from '../support/db'
import { ledgerOf } from '../support/paid'
import { stack } from '../support/stack-in-test'
import { expect, expectAccessible, test } from './fixtures'
import { openCheckout, payButton, payForSomething, placeOrder, signUp } from './journeys'

const url = (path: string) => `${stack().appOrigin}${path}`

test('somebody takes their data along and goes: the old session reads nothing, the ledger is unchanged', async ({
  page,
  context,
  browser,
}) => {
  const customer = await signUp(page)
  const { paymentId } = await payForSomething(page)
  await page.getByRole('button', { name: /^Account/ }).click()
  await page.getByRole('link', { name: 'Privacy' }).click()
  await page.waitForURL(url('/privacy'))
  await expectAccessible(page)

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download my data' }).click(),
  ])
  const file = JSON.parse(await readFile(await download.path(), 'utf8'))
  await expect(page.getByRole('status')).toContainText('in your downloads')
  expect(file.tables['auth.users'].rows).toMatchObject([{ email: customer.email }])
  expect(file.tables['public.payments'].rows).toMatchObject([{ id: paymentId, status: 'succeeded' }])

  // The fee and the settlement come with an event after the one that paid.
  await expect.poll(async () => (await ledgerOf(paymentId)).stripe_clearing_eur).toBe(0)
  const ledger = await ledgerOf(paymentId)
  const oldCookies = await context.cookies()
  const leave = page.getByRole('button', { name: 'Delete my account' })
  await expect(leave).toBeDisabled()
  await page.getByRole('checkbox').check()
  await leave.click()
  await page.waitForURL(url('/account-deleted'))
  await expect(page.getByRole('heading', { name: 'Your account is deleted' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible()
  await expectAccessible(page)

  const elsewhere = await browser.newContext()
  await elsewhere.addCookies(oldCookies)
  const old = await elsewhere.newPage()
  for (const path of ['/payments', `/payments/${paymentId}`, '/privacy']) {
    await old.goto(url(path))
    expect(await old.content(), path).not.toMatch(/24\.00|PW-[0-9A-Z]{10}/)
    await expect(old.getByRole('navigation').getByRole('link', { name: 'Sign in' })).toBeVisible()
  }
  await elsewhere.close()
  expect(await ledgerOf(paymentId)).toEqual(ledger)
  const rows = await adminSql()`
    select p.status, p.card_last4, c.user_id from public.payments p join public.customers c on c.id = p.customer_id
    where p.id = ${paymentId}`
  expect(rows).toEqual([{ status: 'succeeded', card_last4: null, user_id: null }])
})

test('an open payment keeps the account, and the page says so', async ({ page }) => {
  await signUp(page)
  await placeOrder(page)
  await openCheckout(page)
  await expect(payButton(page)).toBeEnabled()

  await page.goto(url('/privacy'))

  await expect(page.getByText('A payment is not finished.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Delete my account' })).toHaveCount(0)
  await expectAccessible(page)
})
