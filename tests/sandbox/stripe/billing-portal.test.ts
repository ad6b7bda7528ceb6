import { describe, expect, it } from 'vitest'
import { aSubscriber, periodOf, typesSince } from './support/billing.ts'
import { answerBank, pageCard, press } from './support/hosted.ts'
import { errorOf, localStripe } from './support/local-stripe.ts'

const { stripe, url, store } = await localStripe({ settleDelayMs: 0 })

async function inPortal() {
  const subscriber = await aSubscriber(stripe, { card: 'pm_card_visa' })
  const subscription = await stripe.subscriptions.create({
    customer: subscriber.customer.id,
    items: [{ price: subscriber.price.id }],
  })
  const session = await stripe.billingPortal.sessions.create({
    customer: subscriber.customer.id,
    return_url: 'http://localhost:3000/account',
  })
  const told = await typesSince(stripe)
  const act = (name: string, fields: Record<string, string>) =>
    fetch(`${session.url}?do=${name}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: url },
      redirect: 'manual',
    })
  return { ...subscriber, subscription, session, told, act }
}

describe('the customer portal', () => {
  it('stripe.E17 tells when it is opened', async () => {
    const { customer } = await aSubscriber(stripe)
    const told = await typesSince(stripe)

    const session = await stripe.billingPortal.sessions.create({ customer: customer.id })

    expect(await told()).toContain('billing_portal.session.created')
    expect(session.url.startsWith(`${url}/p/session/`)).toBe(true)
    expect(await errorOf(stripe.billingPortal.sessions.create({ customer: 'cus_no' }))).toMatchObject({
      statusCode: 400,
      param: 'customer',
    })
  })

  it('stripe.E16 cancels at the end of the period by its date, and takes that back', async () => {
    const { subscription, told, act } = await inPortal()

    const answer = await act('cancel', { subscription: subscription.id })
    const leaving = await stripe.subscriptions.retrieve(subscription.id)
    await act('keep', { subscription: subscription.id })
    const staying = await stripe.subscriptions.retrieve(subscription.id)

    expect(answer.status).toBe(303)
    expect(leaving).toMatchObject({ status: 'active', cancel_at: periodOf(subscription).end })
    expect(staying).toMatchObject({ cancel_at: null, canceled_at: null })
    expect(await told()).toEqual(['customer.subscription.updated', 'customer.subscription.updated'])
  })

  it('changes the plan', async () => {
    const { subscription, product, act } = await inPortal()
    const elite = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 5000,
      recurring: { interval: 'month' },
    })

    await act('plan', { subscription: subscription.id, price: elite.id })

    const after = await stripe.subscriptions.retrieve(subscription.id)
    expect(after.items.data[0]?.price.id).toBe(elite.id)
  })

  it('adds a card and uses it, asking the bank when it has to', async () => {
    const { customer, subscription, session } = await inPortal()

    const declined = await press(url, `${session.url}/cards`, { card: pageCard('4000000000000002') })
    const plain = await press(url, `${session.url}/cards`, { card: pageCard('5555555555554444') })
    const asked = await press(url, `${session.url}/cards`, { card: pageCard('4000002500003155') })
    const back = await answerBank(url, asked.redirectTo ?? '', 'pass')
    const after = await stripe.customers.retrieve(customer.id, {
      expand: ['invoice_settings.default_payment_method'],
    })
    const { default_payment_method } = await stripe.subscriptions.retrieve(subscription.id, {
      expand: ['default_payment_method'],
    })

    expect(declined.message).toBe('Your card was declined.')
    expect(plain.redirectTo).toContain('told=new_card')
    expect(back.startsWith(session.url)).toBe(true)
    expect(after).toMatchObject({ invoice_settings: { default_payment_method: { card: { last4: '3155' } } } })
    expect(default_payment_method).toMatchObject({ card: { last4: '3155' } })
  })

  it('does nothing to what belongs to somebody else', async () => {
    const [mine, theirs] = [await inPortal(), await inPortal()]

    const answer = await mine.act('cancel', { subscription: theirs.subscription.id })

    expect(answer.status).toBe(400)
    expect((await stripe.subscriptions.retrieve(theirs.subscription.id)).cancel_at).toBeNull()
  })

  it('takes no order from another page, and closes after an hour', async () => {
    const { session, subscription } = await inPortal()

    const foreign = await fetch(`${session.url}?do=cancel`, {
      method: 'POST',
      body: new URLSearchParams({ subscription: subscription.id }),
      headers: { origin: 'http://localhost:3000' },
    })
    store.clock.advance(61 * 60 * 1000)
    const late = await fetch(session.url)

    expect(foreign.status).toBe(403)
    expect(late.status).toBe(410)
  })

  it('offers what its configuration allows', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    })
    const configuration = await stripe.billingPortal.configurations.create({
      features: { invoice_history: { enabled: true } },
    })
    const changed = await stripe.billingPortal.configurations.update(configuration.id, {
      business_profile: { headline: 'Yours' },
    })
    const session = await stripe.billingPortal.sessions.create({
      customer: customer.id,
      configuration: configuration.id,
    })

    const page = await (await fetch(session.url)).text()
    const answer = await fetch(`${session.url}?do=cancel`, {
      method: 'POST',
      body: new URLSearchParams({ subscription: subscription.id }),
      headers: { origin: url },
    })

    expect(changed.business_profile.headline).toBe('Yours')
    expect(page).toContain('Invoices')
    expect(page).not.toContain('Cancel subscription')
    expect(page).not.toContain('Add a card')
    expect(answer.status).toBe(400)
  })

  it('shows invoices, and an open one can be paid there', async () => {
    const { customer, price } = await aSubscriber(stripe)
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice'],
    })
    const invoice = subscription.latest_invoice
    const address = typeof invoice === 'object' ? (invoice?.hosted_invoice_url ?? '') : ''

    const declined = await press(url, address, { card: pageCard('4000000000000002') })
    await press(url, address, { card: pageCard() })
    const guessed = await fetch(`${address}x`)

    expect(declined.message).toBe('Your card was declined.')
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
    expect(guessed.status).toBe(404)
  })
})
