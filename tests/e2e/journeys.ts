import { randomUUID } from 'node:crypto'
import type { FrameLocator, Page } from '@playwright/test'
import { knowsItsCard } from '../support/paid'
import { mailedToken, newPassword } from '../support/people'
import { stack } from '../support/stack-in-test'
import { expect } from './fixtures'

export type Customer = { email: string; password: string }

export const CARDS = {
  pays: '4242424242424242',
  mastercard: '5555555555554444',
  declined: '4000000000000002',
  insufficientFunds: '4000000000009995',
  threeDSecure: '4000002760003184',
}

const url = (path: string) => `${stack().appOrigin}${path}`

/** Sign up on the page and confirm with the link in the mail: ends signed in, on the catalogue. */
export async function signUp(page: Page, email = `${randomUUID()}@example.test`): Promise<Customer> {
  const customer = { email, password: newPassword() }
  await page.goto(url('/sign-up'))
  await page.getByLabel('E-mail address').fill(customer.email)
  await page.getByLabel('Password').fill(customer.password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.waitForURL('**/check-your-mail**')
  const token = await mailedToken(stack().mailboxUrl, customer.email)
  await page.goto(url(`/auth/confirm?token_hash=${token}&type=email`))
  await page.getByRole('button', { name: /confirm/i }).click()
  await page.waitForURL(url('/'))
  return customer
}

export async function signIn(page: Page, customer: Customer): Promise<void> {
  await page.goto(url('/sign-in'))
  await page.getByLabel('E-mail address').fill(customer.email)
  await page.getByLabel('Password').fill(customer.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(url('/'))
}

/** Order something from the catalogue: ends on the order's page. */
export async function placeOrder(page: Page, product = 'Field notebook'): Promise<string> {
  await page.goto(url('/'))
  await page.getByRole('button', { name: `Order ${product}` }).click()
  await page.waitForURL('**/orders/*')
  return new URL(page.url()).pathname.split('/').at(-1) ?? ''
}

export async function openCheckout(page: Page): Promise<FrameLocator> {
  await page.getByRole('link', { name: /^Pay / }).click()
  await page.waitForURL('**/checkout/*')
  return await cardFields(page)
}

/** Stripe's fields, once the page shows them: what is entered earlier can get lost. */
export async function cardFields(page: Page): Promise<FrameLocator> {
  const frame = page.frameLocator('iframe[name^="__privateStripeFrame"]').first()
  await expect(frame.getByPlaceholder('1234 1234 1234 1234')).toBeVisible()
  await expect(page.getByRole('button', { name: /^(Pay |Save card)/ })).toBeEnabled()
  return frame
}

export async function enterCard(frame: FrameLocator, number: string): Promise<void> {
  const field = frame.getByPlaceholder('1234 1234 1234 1234')
  await field.fill(number)
  // On a busy machine the browser can lose what is put into a frame that has just appeared.
  if ((await field.inputValue()) === '') await field.fill(number)
  await frame.locator('[name=expiry]').fill('12 / 34')
  await frame.locator('[name=cvc]').fill('123')
}

export const payButton = (page: Page) => page.getByRole('button', { name: /^Pay / })

export async function expectPaid(page: Page): Promise<string> {
  await page.waitForURL('**/payments/*/result')
  await expect(page.getByRole('heading', { name: 'Payment received' })).toBeVisible()
  return new URL(page.url()).pathname.split('/').at(2) ?? ''
}

/** The whole way from an empty basket to a paid order. */
export async function payForSomething(page: Page): Promise<{ orderId: string; paymentId: string }> {
  const orderId = await placeOrder(page)
  await enterCard(await openCheckout(page), CARDS.pays)
  await payButton(page).click()
  const paymentId = await expectPaid(page)
  await knowsItsCard(paymentId)
  return { orderId, paymentId }
}
