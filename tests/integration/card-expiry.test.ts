import { beforeAll, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { bringForward, mailsOwedTo, outbox, ownMails, setOtherMailsAside } from '../support/mails'
import { until } from '../support/paid'
import { newPerson, type Person } from '../support/people'
import { savedCard, stripeCustomerOf } from '../support/saved-cards'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'

const now = new Date()
const inMonths = (months: number) => {
  const date = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1))
  return { exp_month: date.getUTCMonth() + 1, exp_year: date.getUTCFullYear() }
}

let ada: Person
let customerId: string

beforeAll(async () => {
  ada = await newPerson()
  await savedCard(ada, 'pm_card_visa', inMonths(1))
  await savedCard(ada, 'pm_card_mastercard', inMonths(2))
  await savedCard(ada, 'pm_card_amex', inMonths(-1))
  const [row] = await adminSql()`select id from public.customers where user_id = ${ada.id}`
  customerId = String(row?.id)
})

/** What the scheduler does every hour, on the day this person's turn has come; nobody else's has. */
async function check(server = stack().serverUrls[0]): Promise<Record<string, number>> {
  const response = await fetch(`${server}/api/cron/cards`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack().env.CRON_SECRET}` },
  })
  expect(response.status).toBe(200)
  return (await response.json()) as Record<string, number>
}

async function turnOf(id: string): Promise<void> {
  await adminSql()`update private.stripe_customers set cards_due_at = case when customer_id = ${id}
    then now() else now() + interval '1 day' end`
}

describe('a saved card that ends by the end of next month', () => {
  it('owes its owner one mail, however often it is looked at and by how many at once', async () => {
    await turnOf(customerId)
    const runs = await Promise.all(stack().serverUrls.map((server) => check(server)))
    const afterOne = await check()
    await turnOf(customerId)
    const aWeekLater = await check()

    const mails = (await mailsOwedTo(customerId)).filter(({ kind }) => kind === 'card_expiring')
    expect(runs.reduce((sum, { customers = 0 }) => sum + customers, 0)).toBe(1)
    expect(afterOne).toEqual({ customers: 0, ending: 0, failures: 0 })
    expect(aWeekLater).toEqual({ customers: 1, ending: 1, failures: 0 })
    expect(mails).toHaveLength(1)
  })

  it('is told of in a mail that leads to the cards', async () => {
    await setOtherMailsAside()
    await bringForward(customerId)
    await outbox()

    await until(async () => (await ownMails(ada.id)).length > 0)
    const [mail] = await ownMails(ada.id)
    expect(mail?.subject).toBe('Your saved card expires soon')
    expect(mail?.text).toContain('Visa card ending in 4242')
    expect(mail?.links).toEqual(expect.arrayContaining([`${stack().appOrigin}/cards`]))
  })

  it('renewed for a month to come owes none, and ending in another month another', async () => {
    const cards = await stripeSdk().customers.listPaymentMethods(await stripeCustomerOf(ada))
    const visa = cards.data.find(({ card }) => card?.brand === 'visa')?.id ?? ''
    const owed = async () =>
      (await mailsOwedTo(customerId)).filter(({ kind }) => kind === 'card_expiring').length

    await stripeSdk().paymentMethods.update(visa, { card: inMonths(24) })
    await turnOf(customerId)
    await check()
    const renewed = await owed()
    await stripeSdk().paymentMethods.update(visa, { card: inMonths(0) })
    await turnOf(customerId)
    await check()

    expect([renewed, await owed()]).toEqual([1, 2])
  })

  it('of somebody who is gone, or of a customer deleted at Stripe, owes nobody anything', async () => {
    const [gone, deleted] = [await newPerson(), await newPerson()]
    for (const person of [gone, deleted]) await savedCard(person, 'pm_card_visa', inMonths(1))
    await stripeSdk().customers.del(await stripeCustomerOf(deleted))
    const rows =
      await adminSql()`select id, user_id from public.customers where user_id in (${gone.id}, ${deleted.id})`
    const idOf = (person: Person) => String(rows.find(({ user_id }) => user_id === person.id)?.id)
    await adminSql()`update public.customers set user_id = null where id = ${idOf(gone)}`

    await turnOf(idOf(gone))
    const ofGone = await check()
    await turnOf(idOf(deleted))
    const ofDeleted = await check()

    expect(ofGone).toEqual({ customers: 0, ending: 0, failures: 0 })
    expect(ofDeleted).toEqual({ customers: 1, ending: 0, failures: 0 })
  })
})
