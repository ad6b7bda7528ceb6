import { endGraces } from '@/lib/billing/end-graces'
import { type InvoicePayment, payInvoice } from '@/lib/billing/pay-invoice'
import { subscribe } from '@/lib/billing/subscribe'
import type { InvoiceRow } from '../billing-books'
import { type Request, Violation, type World } from '../world'
import type { Action, Asking } from './action'
import { BILLING, BILLING_OUTSIDE } from './billing'

/** Of the seed: Basic and Premium, of one group. */
const PLANS = {
  Basic: '7a0e8f10-0000-4000-8000-000000000101',
  Premium: '7a0e8f10-0000-4000-8000-000000000102',
}

/** One press of the button, or several tabs, and not always for the same plan. */
export function somebodySubscribes(world: World): Request[] {
  const { random } = world
  const user = random.pick(world.people.customers)
  const tries = Number(random.weighted({ '1': 5, '2': 2 }))
  return Array.from({ length: tries }, (): Request => {
    const plan = random.weighted({ Basic: 1, Premium: 1 })
    return {
      what: `${world.name('person', user.id)} subscribes to ${plan}`,
      run: () => subscribe({ user, planId: PLANS[plan] }),
      allowed: ['subscribed_already'],
      after: ({ value }) => {
        if (value) show(world, (value as { url: string }).url)
      },
    }
  })
}

/** Somebody is sent to a page, and to no other one besides. */
function show(world: World, url: string): void {
  const { sessions } = world.stripe.billing
  const session = sessions.find(({ id }) => url.endsWith(`/${id}`))
  if (!session) throw new Violation(`there is no page at ${url}`)
  session.isShown = true
  const open = sessions.filter(
    (one) => one.isShown && one.status === 'open' && one.customer === session.customer,
  )
  if (open.length > 1) throw new Violation(`${open.map(({ id }) => id).join(' and ')} are open at once`)
}

/** What is owed is paid on our page, by whoever owes it. */
function customerPaysInvoice(world: World): Request[] {
  const { random } = world
  const invoice = random.pick(world.books?.billing?.invoices.filter(({ status }) => status === 'open') ?? [])
  const owner = invoice && ownerOf(world, invoice)
  const stranger = world.people.customers.find((one) => one !== owner)
  if (!invoice || !owner || !stranger) return []
  const what = `${world.name('person', owner.id)} wants to pay ${invoice.stripe_id}`
  if (random.chance(0.1))
    return [
      {
        what: `a stranger wants to pay ${invoice.stripe_id}`,
        run: () => payInvoice({ user: stranger, invoiceId: invoice.id }),
        allowed: ['not_found'],
        after: ({ value }) => {
          if (value) throw new Violation('a stranger was let into an invoice of somebody else')
        },
      },
    ]
  return [
    {
      what,
      run: () => payInvoice({ user: owner, invoiceId: invoice.id }),
      allowed: ['order_settled'],
      after: ({ value }) => {
        if (value) checkOffered(world, invoice, value as InvoicePayment)
      },
    },
  ]
}

function ownerOf(world: World, invoice: InvoiceRow) {
  const { billing } = world.books ?? {}
  const subscription = billing?.subscriptions.find(({ id }) => id === invoice.subscription_id)
  const customer = billing?.customers.find(({ customer_id }) => customer_id === subscription?.customer_id)
  return world.people.customers.find(({ id }) => id === customer?.user_id)
}

function checkOffered(world: World, invoice: InvoiceRow, offered: InvoicePayment): void {
  const intent = world.stripe.intent(offered.clientSecret.replace(/_secret$/, ''))
  const theirs = world.stripe.billing.invoices.find(({ id }) => id === invoice.stripe_id)
  if (theirs?.intentId !== intent.id) throw new Violation(`${invoice.stripe_id} is paid with another payment`)
  if (offered.amountMinor !== theirs.amount)
    throw new Violation(`${invoice.stripe_id} asks for another amount`)
}

function gracesEnd(): Request[] {
  return [{ what: 'the graces that are over end', run: endGraces, allowed: ['already_running'] }]
}

/** Longer than any grace. */
async function aDayPasses(world: World): Promise<boolean> {
  world.tell('a day passes')
  await world.passTime(25 * 3600_000)
  return await world.together(gracesEnd())
}

export const SUBSCRIBING: readonly Action[] = [...BILLING, { weight: 2, act: aDayPasses }]

export const SUBSCRIBING_OUTSIDE = BILLING_OUTSIDE

export const SUBSCRIBING_ASKED: readonly { weight: number; ask: Asking }[] = [
  { weight: 8, ask: somebodySubscribes },
  { weight: 4, ask: customerPaysInvoice },
  { weight: 2, ask: gracesEnd },
]
