import { randomUUID } from 'node:crypto'
import { adminSql } from '../support/db'
import { mailsOfOurs, outbox, setOtherMailsAside } from '../support/mails'
import { newStaff } from '../support/paid'
import { requestedOf, requestPayment } from '../support/payment-requests'
import { stack } from '../support/stack-in-test'
import { expect, expectAccessible, test } from './fixtures'
import { CARDS, cardFields, enterCard, expectPaid, payButton, signUp } from './journeys'

test('a payment request: the link in the mail, sign in, pay', async ({ page, context }) => {
  const email = `${randomUUID()}@example.test`
  await setOtherMailsAside()
  const request = await requestedOf(await requestPayment(await newStaff('support'), { email }))
  await outbox()
  const [mail] = await mailsOfOurs(email)
  const customer = await signUp(page, email)
  await context.clearCookies()

  await page.goto(String(mail?.links[0]))
  await page.waitForURL('**/sign-in?next=**')
  await page.getByLabel('E-mail address').fill(customer.email)
  await page.getByLabel('Password').fill(customer.password)
  await page.getByRole('button', { name: 'Sign in' }).click()

  await page.waitForURL(`${stack().appOrigin}/orders/${request.id}`)
  await expect(page.getByRole('main')).toContainText('Field notebook')
  await expectAccessible(page)
  await payButton(page).click()
  await page.waitForURL('**/checkout/*')
  await enterCard(await cardFields(page), CARDS.pays)
  await payButton(page).click()
  await expectPaid(page)

  const [order] = await adminSql()`select status from public.orders where id = ${request.id}`
  expect(order?.status).toBe('paid')
})
