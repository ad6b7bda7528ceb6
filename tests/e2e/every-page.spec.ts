import { PAGES } from '@/lib/edge/route-table'
import { owingInvoice } from '../support/billing'
import { adminSql } from '../support/db'
import { stack } from '../support/stack-in-test'
import { expect, expectAccessible, test } from './fixtures'
import { cardFields, payButton, payForSomething, placeOrder, signUp } from './journeys'

test('every page is accessible: none of the route table is left out [T4]', async ({ page }) => {
  // Sixteen pages, each judged whole: on a machine that is busy this takes more than the usual time.
  test.setTimeout(240_000)
  const strangers = [
    '/',
    '/plans',
    '/sign-in',
    '/sign-up',
    '/forgotten-password',
    '/check-your-mail',
    '/auth/confirm',
    '/account-deleted',
  ]
  for (const path of strangers) {
    await page.goto(`${stack().appOrigin}${path}`)
    await expectAccessible(page)
  }
  const { email } = await signUp(page)
  const { paymentId } = await payForSomething(page)
  const open = await placeOrder(page)
  const [row] = await adminSql()`select id from auth.users where email = ${email}`
  const invoiceId = await owingInvoice({ id: String(row?.id) })
  /** Where each page of somebody who is signed in is found. */
  const addresses: Record<string, string> = {
    '/new-password': '/new-password',
    '/confirm-password': '/confirm-password',
    '/checkout/[orderId]': `/checkout/${open}`,
    '/orders/[orderId]': `/orders/${open}`,
    '/cards': '/cards',
    '/cards/new': '/cards/new',
    '/privacy': '/privacy',
    '/subscription': '/subscription',
    '/checkout/invoices/[invoiceId]': `/checkout/invoices/${invoiceId}`,
    '/payments': '/payments',
    '/payments/[paymentId]': `/payments/${paymentId}`,
    '/payments/[paymentId]/receipt': `/payments/${paymentId}/receipt`,
    '/payments/[paymentId]/result': `/payments/${paymentId}/result`,
  }

  for (const path of Object.values(addresses)) {
    await page.goto(`${stack().appOrigin}${path}`)
    await expect(page.getByRole('main')).toBeVisible()
    if (path.startsWith('/checkout/')) await expect(payButton(page)).toBeEnabled()
    if (path === '/cards/new') await cardFields(page)
    await expectAccessible(page)
  }

  // A new page: say above how it is reached.
  expect([...strangers, ...Object.keys(addresses)].sort()).toEqual(Object.keys(PAGES).sort())
})
