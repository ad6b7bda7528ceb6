import { readFile } from 'node:fs/promises'
import { adminSql } from '../support/db'
import { manyPayments } from '../support/history-rows'
import { stack } from '../support/stack-in-test'
import { expect, expectAccessible, test } from './fixtures'
import { payForSomething, signUp } from './journeys'

const userIdOf = async (email: string) =>
  String((await adminSql()`select id from auth.users where email = ${email}`)[0]?.id)

test('the history is searched, narrowed, turned and taken along', async ({ page }) => {
  const { email } = await signUp(page)
  await manyPayments({ userId: await userIdOf(email), howMany: 45 })
  await page.goto(`${stack().appOrigin}/payments`)
  const rows = page.getByRole('main').getByRole('row')
  await expect(rows).toHaveCount(21)

  await page.getByLabel('Status').selectOption('Paid')
  await page.getByLabel('From').fill('2026-01-01')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.waitForURL('**/payments?*status=paid*')
  await expectAccessible(page)
  await page.getByRole('link', { name: 'Older' }).click()
  await expect(page.getByRole('link', { name: 'Newer' })).toBeVisible()
  await expect(page.getByLabel('Status')).toHaveValue('paid')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download as CSV' }).click()
  const file = await readFile(await (await download).path(), 'utf8')
  await page.getByLabel('Search').fill('nothing like it')
  await page.getByRole('button', { name: 'Search' }).click()
  await expect(page.getByRole('heading', { name: 'No payment like that' })).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('link', { name: 'Clear' }).click()

  await expect(rows).toHaveCount(21)
  // Of 45 every tenth is canceled, and three of the rest are refunded in part.
  expect(file.trimEnd().split('\r\n')).toHaveLength(1 + 45 - 4 - 3)
})

test('a payment in progress moves on in the list and on its page without a reload', async ({
  page,
  context,
}) => {
  const { email } = await signUp(page)
  const userId = await userIdOf(email)
  await manyPayments({ userId, howMany: 1 })
  const [payment] = await adminSql()`
    update public.payments p set status = 'processing', amount_refunded_minor = 0 from public.customers c
    where c.id = p.customer_id and c.user_id = ${userId} returning p.id`
  const detail = await context.newPage()
  await page.goto(`${stack().appOrigin}/payments`)
  await detail.goto(`${stack().appOrigin}/payments/${payment?.id}`)
  await expect(page.getByRole('main')).toContainText('Processing')
  await expect(detail.getByRole('main')).toContainText('Processing')
  for (const tab of [page, detail]) await tab.evaluate(() => Object.assign(window, { same: true }))

  await adminSql()`update public.payments set status = 'succeeded' where id = ${String(payment?.id)}`

  for (const tab of [page, detail]) {
    await tab.bringToFront()
    await expect(tab.getByRole('main').getByRole('button', { name: 'Paid' })).toBeVisible()
    await expect(tab.getByRole('status').filter({ hasText: 'A payment has changed: Paid.' })).toBeAttached()
    expect(await tab.evaluate(() => 'same' in window)).toBe(true)
  }
})

test('a receipt prints as a receipt and nothing else', async ({ page }) => {
  await signUp(page)
  const { paymentId } = await payForSomething(page)
  await page.goto(`${stack().appOrigin}/payments/${paymentId}`)
  await page.getByRole('link', { name: 'See and print' }).click()
  await expect(page.getByRole('heading', { name: 'Receipt' })).toBeVisible()
  await expectAccessible(page)

  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })

  const receipt = page.getByRole('region', { name: 'Receipt' })
  await expect(receipt).toContainText('Field notebook')
  await expect(receipt).toContainText('4242')
  await expect(page.getByRole('banner')).toBeHidden()
  await expect(page.getByRole('contentinfo')).toBeHidden()
  await expect(page.getByRole('button', { name: /Print/ })).toBeHidden()
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toMatch(
    /^(oklch\(1 0 0\)|rgb\(255, 255, 255\)|lab\(100)/,
  )
})
