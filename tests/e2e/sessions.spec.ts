import { adminSql } from '../support/db'
import { stack } from '../support/stack-in-test'
import { expect, expectAccessible, test } from './fixtures'
import { payForSomething, signIn, signUp } from './journeys'

const url = (path: string) => `${stack().appOrigin}${path}`

test('after signing out the way back shows nothing, and no cookie of the run was open to scripts (A1, A5)', async ({
  page,
  context,
  watched,
}) => {
  const customer = await signUp(page)
  await payForSomething(page)
  await page.goto(url('/payments'))
  await expect(page.getByRole('main')).toContainText('Order PW-')
  await page.getByRole('button', { name: /^Account/ }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL(url('/'))

  for (let steps = 0; steps < 3; steps++) {
    await page.goBack()
    await expect(page.getByRole('main')).not.toContainText('Order PW-')
  }
  await page.goto(url('/payments'))
  await page.waitForURL('**/sign-in?next=**')

  expect((await context.cookies()).filter(({ value }) => value !== '')).toEqual([])
  const sessions =
    await adminSql()`select from auth.sessions s join auth.users u on u.id = s.user_id where u.email = ${customer.email}`
  expect(sessions).toHaveLength(0)
  expect(watched.setCookies.length).toBeGreaterThan(1)
  for (const line of watched.setCookies)
    expect(line).toMatch(/^session[^;]*=.*; Path=\/.*; HttpOnly; SameSite=lax$/i)
  for (const line of watched.setCookies) expect(line).not.toMatch(/domain=/i)
})

test('the password is asked for again, of the same person, and leads back (Z21)', async ({ page }) => {
  const customer = await signUp(page)
  await page.goto(url('/confirm-password?next=/payments'))
  await expect(page.getByRole('main')).toContainText(customer.email)
  await expectAccessible(page)

  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await expect(page.getByRole('main').getByRole('alert')).toContainText(
    'The e-mail address or the password is not right.',
  )
  await expectAccessible(page)
  await page.getByLabel('Password').fill(customer.password)
  await page.getByRole('button', { name: 'Confirm' }).click()

  await page.waitForURL(url('/payments'))
})

test('who has failed too often is told when to come back and how to get in at once (A7)', async ({
  page,
  context,
}) => {
  const customer = await signUp(page)
  await context.clearCookies()
  await page.goto(url('/sign-in'))
  await page.getByLabel('E-mail address').fill(customer.email)
  for (let tries = 0; tries < 6; tries++) {
    await page.getByLabel('Password').fill('not the password')
    const answered = page.waitForResponse('**/api/session')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await answered
    await expect(page.getByRole('main').getByRole('alert')).toBeVisible()
    // The form is emptied when its answer has been taken in: what is typed before that would be lost.
    await expect(page.getByLabel('Password')).toHaveValue('')
  }

  await expect(page.getByRole('main').getByRole('alert')).toContainText('Too many attempts to sign in')
  await expect(page.getByLabel('E-mail address')).toHaveValue(customer.email)
  await expectAccessible(page)
})

test('a field left empty is named beside it, and signing in goes where one was going', async ({
  page,
  context,
}) => {
  const customer = await signUp(page)
  await context.clearCookies()
  await page.goto(url('/sign-in'))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByLabel('E-mail address')).toHaveAccessibleDescription(/name@example.com/)
  await expect(page.getByLabel('E-mail address')).toBeFocused()

  await signIn(page, customer)
})
