import type { Page } from '@playwright/test'
import { onTestClock, type PLANS, priceOf } from '../support/billing'
import { adminSql } from '../support/db'
import { until } from '../support/paid'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'
import { CARDS, type Customer, signUp } from './journeys'

export const DAY = 86_400
const url = (path: string) => `${stack().appOrigin}${path}`

export async function personOf({ email }: Customer): Promise<{ id: string }> {
  const [row] = await adminSql()`select id from auth.users where email = ${email}`
  return { id: String(row?.id) }
}

export const statusOf = async (person: { id: string }) => {
  const [row] =
    await adminSql()`select s.status from public.subscriptions s join public.customers c on c.id = s.customer_id
    where c.user_id = ${person.id} order by s.began_at desc limit 1`
  return row?.status
}

/** What a person may use now, as the database answers it: "premium active", or null. */
export const accessOf = async (person: { id: string }) => {
  const [row] = await adminSql()`select e.tier || ' ' || e.state as line from public.customers c,
    private.entitlements(c.id, false) e where c.user_id = ${person.id}`
  return row?.line ?? null
}

/** Somebody new, signed in, who has this plan and a card that pays for it. Their time can be moved. */
export async function subscriber(page: Page, plan: (typeof PLANS)[keyof typeof PLANS], tier: string) {
  const customer = await signUp(page)
  const person = await personOf(customer)
  const { customer: stripeCustomer, clock } = await onTestClock(person, 'pm_card_visa')
  const { id: subscription } = await stripeSdk().subscriptions.create({
    customer: stripeCustomer,
    items: [{ price: await priceOf(plan) }],
  })
  await until(async () => (await accessOf(person)) === `${tier} active`)
  return { customer, person, stripeCustomer, clock, subscription }
}

/** From now on the bank asks, or says no: the card that is charged by itself is another one. */
export async function chargeAnotherCard(stripeCustomer: string, card: string): Promise<void> {
  const { id } = await stripeSdk().paymentMethods.attach(card, { customer: stripeCustomer })
  await stripeSdk().customers.update(stripeCustomer, { invoice_settings: { default_payment_method: id } })
}

export async function openPortal(page: Page, button: string): Promise<void> {
  await page.goto(url('/subscription'))
  await page.getByRole('button', { name: button }).click()
  await page.waitForURL('**/p/session/**')
}

/** The fields of a card on Stripe's own pages. */
export async function enterCardAtStripe(page: Page, number = CARDS.pays): Promise<void> {
  await page.getByLabel('Card number').fill(number)
  await page.getByLabel('Expiration date').fill('12 / 34')
  await page.getByLabel('Security code').fill('123')
}
