import {
  hasEnded,
  type ModelInvoice,
  type ModelPrice,
  type ModelSession,
  type ModelSubscription,
  nowInSeconds,
} from './billing-objects'
import type { StripeModel } from './model'
import { type ModelIntent, moveTo } from './objects'
import { found, Refusal } from './refusal'
import { renderedInvoice, renderedSession, renderedSubscription } from './rendered-billing'

const HOUR = 3600
const MONTH = 30 * 24 * HOUR
/** A first invoice that is not paid by then ends its subscription. */
const FIRST_PAYMENT_WITHIN = 23 * HOUR

/** What Stripe bills by the month, and everything that can happen to it there. Each change tells its events. */
export class Billing {
  readonly products = new Set<string>()
  readonly prices: ModelPrice[] = []
  readonly sessions: ModelSession[] = []
  readonly subscriptions: ModelSubscription[] = []
  readonly invoices: ModelInvoice[] = []
  readonly #model: StripeModel

  constructor(model: StripeModel) {
    this.#model = model
  }

  subscription(id: string): ModelSubscription {
    return found(this.subscriptions, id)
  }

  invoicesOf({ id }: ModelSubscription): ModelInvoice[] {
    return this.invoices.filter(({ subscriptionId }) => subscriptionId === id)
  }

  intentOf({ intentId }: ModelInvoice): ModelIntent | null {
    return intentId === null ? null : this.#model.intent(intentId)
  }

  /** Time goes by: everything here is that much older, and what had its time is over. */
  age(ms: number): void {
    const seconds = Math.round(ms / 1000)
    for (const session of this.sessions) session.expiresAt -= seconds
    for (const subscription of this.subscriptions) {
      subscription.createdAt -= seconds
      subscription.periodEnd -= seconds
      if (subscription.cancelAt !== null) subscription.cancelAt -= seconds
      if (subscription.endedAt !== null) subscription.endedAt -= seconds
    }
    for (const invoice of this.invoices) if (invoice.firstFailedAt !== null) invoice.firstFailedAt -= seconds
    const now = nowInSeconds()
    for (const session of this.sessions)
      if (session.status === 'open' && session.expiresAt <= now) this.expireSession(session)
    for (const subscription of this.subscriptions)
      if (subscription.status === 'incomplete' && subscription.createdAt + FIRST_PAYMENT_WITHIN < now)
        this.#giveUpWaiting(subscription)
  }

  createPrice(asked: Omit<ModelPrice, 'id'>): ModelPrice {
    const price = { id: this.#model.newId('price'), ...asked }
    this.prices.push(price)
    return price
  }

  createSession(asked: Pick<ModelSession, 'customer' | 'price' | 'metadata' | 'expiresAt'>): ModelSession {
    found(this.#model.customers, asked.customer)
    found(this.prices, asked.price)
    const id = this.#model.newId('cs')
    const session: ModelSession = {
      ...asked,
      id,
      status: 'open',
      history: ['open'],
      subscriptionId: null,
      isShown: false,
    }
    this.sessions.push(session)
    return session
  }

  expireSession(session: ModelSession): void {
    moveTo(session, 'expired')
    this.#model.log.emit('checkout.session.expired', renderedSession(session))
  }

  /** stripe.E4: a subscription, its first invoice and the money for it, all at once. */
  completeSession(session: ModelSession): ModelSubscription {
    const subscription = this.createSubscription(session)
    session.subscriptionId = subscription.id
    moveTo(session, 'complete')
    this.#model.log.emit('checkout.session.completed', renderedSession(session))
    const intent = this.intentOf(found(this.invoices, subscription.latestInvoice ?? ''))
    if (intent) this.#model.confirm(intent, 'pays')
    return subscription
  }

  /** stripe.E14: incomplete until its first invoice is paid. */
  createSubscription({ customer, price }: { customer: string; price: string }): ModelSubscription {
    const now = nowInSeconds()
    const subscription: ModelSubscription = {
      id: this.#model.newId('sub'),
      status: 'incomplete',
      history: ['incomplete'],
      customer,
      price,
      createdAt: now,
      periodEnd: now + MONTH,
      cancelAt: null,
      endedAt: null,
      beganAfter: this.#model.log.events.length,
      endedAfter: null,
      latestInvoice: null,
      endedByApp: 0,
    }
    this.subscriptions.push(subscription)
    const invoice = this.#bill(subscription, 'subscription_create')
    this.#tell('created', subscription)
    this.finalize(invoice)
    return subscription
  }

  /** stripe.E15: the next month begins, with a draft. */
  renew(subscription: ModelSubscription): ModelInvoice {
    subscription.periodEnd += MONTH
    const invoice = this.#bill(subscription, 'subscription_cycle')
    this.#tell('updated', subscription)
    return invoice
  }

  finalize(invoice: ModelInvoice): void {
    const { customer } = this.subscription(invoice.subscriptionId)
    const { amount, currency } = invoice
    const metadata = {}
    const intent = this.#model.createIntent({ amount, currency, customer, metadata, madeBy: 'invoice' })
    invoice.intentId = intent.id
    moveTo(invoice, 'open')
    this.#tellInvoice('finalized', invoice)
  }

  voidInvoice(invoice: ModelInvoice): void {
    moveTo(invoice, 'void')
    const intent = this.intentOf(invoice)
    if (intent) this.#model.cancel(intent)
    this.#tellInvoice('voided', invoice)
  }

  /** stripe.E16. @throws Refusal when it is over already */
  end(subscription: ModelSubscription): void {
    if (hasEnded(subscription)) throw new Refusal('resource_missing')
    this.#over(subscription, 'canceled')
    this.#tell('deleted', subscription)
  }

  /** At the end of the period, or not after all. */
  setCancelAt(subscription: ModelSubscription, cancelAt: number | null): void {
    subscription.cancelAt = cancelAt
    this.#tell('updated', subscription)
  }

  changePrice(subscription: ModelSubscription, price: string): void {
    subscription.price = price
    this.#tell('updated', subscription)
  }

  /** All tries to collect were in vain, and the account keeps such subscriptions. */
  leaveUnpaid(subscription: ModelSubscription): void {
    moveTo(subscription, 'unpaid')
    this.#tell('updated', subscription)
  }

  /** The payment of an invoice has come to something. */
  hear(intent: ModelIntent, what: 'paid' | 'failed' | 'challenged'): void {
    const invoice = this.invoices.find(({ intentId }) => intentId === intent.id)
    if (invoice?.status !== 'open') return
    const subscription = this.subscription(invoice.subscriptionId)
    if (what === 'paid') {
      moveTo(invoice, 'paid')
      this.#tellInvoice('paid', invoice)
      this.#tellInvoice('payment_succeeded', invoice)
      this.#settle(subscription, invoice)
      return
    }
    // Nobody was there to be asked: for the bank that is a payment that failed.
    if (what === 'failed' || invoice.reason === 'subscription_cycle') {
      invoice.failures++
      invoice.firstFailedAt ??= nowInSeconds()
      if (subscription.status === 'active') {
        moveTo(subscription, 'past_due')
        this.#tell('updated', subscription)
      }
      this.#tellInvoice('payment_failed', invoice)
    }
    if (what === 'challenged') this.#tellInvoice('payment_action_required', invoice)
  }

  #bill(subscription: ModelSubscription, reason: ModelInvoice['reason']): ModelInvoice {
    const price = found(this.prices, subscription.price)
    const invoice: ModelInvoice = {
      id: this.#model.newId('in'),
      subscriptionId: subscription.id,
      status: 'draft',
      history: ['draft'],
      reason,
      amount: price.amount,
      currency: price.currency,
      intentId: null,
      failures: 0,
      firstFailedAt: null,
    }
    this.invoices.push(invoice)
    subscription.latestInvoice = invoice.id
    this.#tellInvoice('created', invoice)
    return invoice
  }

  /** In good standing, unless a newer invoice still waits. */
  #settle(subscription: ModelSubscription, invoice: ModelInvoice): void {
    if (hasEnded(subscription) || subscription.status === 'active') return
    const isWaiting = this.invoicesOf(subscription).some(({ status }) => status === 'open')
    if (subscription.latestInvoice !== invoice.id && isWaiting) return
    moveTo(subscription, 'active')
    this.#tell('updated', subscription)
  }

  #giveUpWaiting(subscription: ModelSubscription): void {
    this.#over(subscription, 'incomplete_expired')
    this.#tell('updated', subscription)
    for (const invoice of this.invoicesOf(subscription))
      if (invoice.status === 'open') this.voidInvoice(invoice)
  }

  #over(subscription: ModelSubscription, status: 'canceled' | 'incomplete_expired'): void {
    subscription.endedAt = nowInSeconds()
    subscription.endedAfter = this.#model.log.events.length
    moveTo(subscription, status)
  }

  #tell(what: string, subscription: ModelSubscription): void {
    this.#model.log.emit(`customer.subscription.${what}`, renderedSubscription(subscription))
  }

  #tellInvoice(what: string, invoice: ModelInvoice): void {
    const { customer } = this.subscription(invoice.subscriptionId)
    this.#model.log.emit(`invoice.${what}`, renderedInvoice(invoice, { customer, intent: null }))
  }
}
