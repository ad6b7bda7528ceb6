import { mailedToken } from '../support/people'
import { stack } from '../support/stack-in-test'
import { expect, expectAccessible, test } from './fixtures'
import { payButton, placeOrder, signIn, signUp } from './journeys'

const url = (path: string) => `${stack().appOrigin}${path}`

test('a forgotten password is replaced by the link in a mail, once', async ({ page, context }) => {
  const customer = await signUp(page)
  await context.clearCookies()
  await page.goto(url('/forgotten-password'))
  await page.getByLabel('E-mail address').fill(customer.email)
  await page.getByRole('button', { name: /send|mail/i }).click()
  await expect(page.getByRole('main')).toContainText(/mail/i)
  await expect
    .poll(async () => (await mailsTo(customer.email)).filter((mail) => /type=recovery/.test(mail)).length)
    .toBe(1)
  const token = await mailedToken(stack().mailboxUrl, customer.email)

  await page.goto(url(`/auth/confirm?token_hash=${token}&type=recovery`))
  await page.getByRole('button').last().click()
  await page.waitForURL(url('/new-password'))
  await expectAccessible(page)
  const password = 'correct horse battery staple'
  await page
    .getByLabel(/password/i)
    .first()
    .fill(password)
  await page.getByRole('button', { name: /password/i }).click()
  await expect(page).not.toHaveURL(url('/new-password'))

  await context.clearCookies()
  await page.goto(url('/sign-in'))
  await page.getByLabel('E-mail address').fill(customer.email)
  await page.getByLabel('Password').fill(customer.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('main')).toContainText('The e-mail address or the password is not right.')
  await signIn(page, { ...customer, password })

  await context.clearCookies()
  await page.goto(url(`/auth/confirm?token_hash=${token}&type=recovery`))
  await page.getByRole('button').last().click()
  await expect(page.getByRole('main')).toContainText(/expired/)
  // Said once, with one way to go on.
  await expect(page.getByText(/ask for a new one/i)).toHaveCount(1)
  await expect(page.getByRole('main').getByRole('link')).toHaveText(['Ask for a new link'])
  await page.goto(url(`/auth/confirm?token_hash=${token.slice(0, 5)}&type=recovery`))
  await expect(page.getByRole('heading', { name: 'This link is not complete' })).toBeVisible()
})

test('what sign-in, sign-up and recovery say does not tell who has an account', async ({ page, context }) => {
  const known = await signUp(page)
  await context.clearCookies()
  const says = async (path: string, email: string, button: RegExp, password?: string) => {
    await page.goto(url(path))
    await page.getByLabel('E-mail address').fill(email)
    if (password) await page.getByLabel('Password').fill(password)
    await page.getByRole('main').getByRole('button', { name: button }).click()
    await expect(page.getByText(/is not right|on its way|We sent a message/)).toBeVisible()
    return `${new URL(page.url()).pathname} ${(await page.getByRole('main').textContent())?.replaceAll(email, '…')}`
  }

  for (const [path, button, password] of [
    ['/sign-in', /sign in/i, 'not the password'],
    ['/sign-up', /create account/i, 'some long password'],
    ['/forgotten-password', /send|mail/i, undefined],
  ] as const) {
    expect(await says(path, known.email, button, password), path).toBe(
      await says(path, `no-${known.email}`, button, password),
    )
  }
})

test('a signed-out visitor orders, signs in, and comes back', async ({ page, context }) => {
  const customer = await signUp(page)
  const orderId = await placeOrder(page)
  await context.clearCookies()

  await page.goto(url(`/orders/${orderId}`))
  await page.waitForURL('**/sign-in?next=**')
  await page.getByLabel('E-mail address').fill(customer.email)
  await page.getByLabel('Password').fill(customer.password)
  await page.getByRole('button', { name: 'Sign in' }).click()

  await page.waitForURL(url(`/orders/${orderId}`))
})

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test(`every page is accessible and fits: ${width} px, ${colorScheme}`, async ({ page }) => {
      test.setTimeout(180_000)
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      for (const path of [
        '/',
        '/sign-in',
        '/sign-up',
        '/forgotten-password',
        '/check-your-mail',
        '/account-deleted',
        '/nowhere',
      ]) {
        await page.goto(url(path))
        await expectAccessible(page)
        expect(await overflow(page), path).toBe(0)
      }
      await signUp(page)
      const orderId = await placeOrder(page)
      for (const path of [
        '/',
        '/payments',
        '/confirm-password',
        '/new-password',
        '/privacy',
        `/orders/${orderId}`,
        `/checkout/${orderId}`,
      ]) {
        await page.goto(url(path))
        await expect(page.getByRole('main')).toBeVisible()
        // While it loads, the button is disabled and pale, which is allowed, and then it is not.
        if (path.startsWith('/checkout/')) await expect(payButton(page)).toBeEnabled()
        await expectAccessible(page)
        expect(await overflow(page), path).toBe(0)
      }
    })
  }
}

async function mailsTo(email: string): Promise<string[]> {
  const response = await fetch(`${stack().mailboxUrl}/api/messages?to=${encodeURIComponent(email)}`)
  const mails = (await response.json()) as { messages?: unknown[] } | unknown[]
  return (Array.isArray(mails) ? mails : (mails.messages ?? [])).map((mail) => JSON.stringify(mail))
}

/** How far a page can be scrolled sideways, in pixels. */
async function overflow(page: import('@playwright/test').Page): Promise<number> {
  return await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
}
