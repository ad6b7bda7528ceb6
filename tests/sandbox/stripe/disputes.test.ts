import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { admin, advance, errorOf, localStripe } from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

const UNDER_WAY_SECONDS = 60
const DAY = 24 * 60 * 60

async function pay(payment_method = 'pm_card_visa', params: Partial<Stripe.PaymentIntentCreateParams> = {}) {
  const intent = await stripe.paymentIntents.create({
    amount: 2500,
    currency: 'usd',
    payment_method,
    confirm: true,
    expand: ['latest_charge'],
    ...params,
  })
  return intent.latest_charge as Stripe.Charge
}

/** Pay with a card that regrets it, and wait until it does. */
async function regretted(payment_method: string) {
  const charge = await pay(payment_method)
  await advance(url, UNDER_WAY_SECONDS)
  const disputes = (await stripe.disputes.list({ charge: charge.id })).data
  return {
    charge: await stripe.charges.retrieve(charge.id),
    disputes,
    dispute: disputes[0] as Stripe.Dispute,
  }
}

async function raise(body: object = {}) {
  const charge = await pay()
  const { body: dispute } = await admin(url, `/charges/${charge.id}/dispute`, body)
  return { charge, id: String(dispute.id) }
}

const eventsOf = async (id: string) => {
  const { data } = await stripe.events.list({ types: ['charge.dispute.*'], limit: 100 })
  return data.filter((event) => (event.data.object as Stripe.Dispute).id === id).reverse()
}
const typesOf = async (id: string) => (await eventsOf(id)).map(({ type }) => type)
const nets = (dispute: Stripe.Dispute) =>
  dispute.balance_transactions.map(({ type, amount, fee, net }) => [type, amount, fee, net])

describe('a dispute', () => {
  it.each([
    ['stripe.C23', 'pm_card_createDispute', 'fraudulent'],
    ['stripe.C24', 'pm_card_createDisputeProductNotReceived', 'product_not_received'],
  ])('%s a payment with %s is disputed as %s', async (_row, card, reason) => {
    const { charge, dispute } = await regretted(card)

    expect(charge).toMatchObject({ disputed: true, refunded: false })
    expect(dispute).toMatchObject({
      amount: 2500,
      reason,
      status: 'needs_response',
      charge: charge.id,
      payment_intent: charge.payment_intent,
      is_charge_refundable: false,
      evidence_details: { due_by: dispute.created + 9 * DAY, has_evidence: false, submission_count: 0 },
    })
    expect(nets(dispute)).toEqual([['adjustment', -2500, 1500, -4000]])
    expect(await typesOf(dispute.id)).toEqual(['charge.dispute.created', 'charge.dispute.funds_withdrawn'])
  })

  it('stripe.C25 an inquiry moves no money', async () => {
    const { charge, dispute } = await regretted('pm_card_createDisputeInquiry')

    expect(charge.disputed).toBe(true)
    expect(dispute).toMatchObject({ status: 'warning_needs_response', is_charge_refundable: true })
    expect(nets(dispute)).toEqual([])
    expect(await typesOf(dispute.id)).toEqual(['charge.dispute.created'])
  })

  it('stripe.C26 one payment can be disputed several times', async () => {
    const { disputes } = await regretted('pm_card_createMultipleDisputes')

    expect(disputes.map(({ amount }) => amount)).toEqual([1250, 1250])
  })

  it('stripe.C26 an early fraud warning can be acted on until the money went back', async () => {
    const { charge } = await regretted('pm_card_createIssuerFraudRecord')
    const [warning] = (await stripe.radar.earlyFraudWarnings.list({ charge: charge.id })).data
    await stripe.refunds.create({ charge: charge.id })
    const after = await stripe.radar.earlyFraudWarnings.retrieve(String(warning?.id), { expand: ['charge'] })
    const events = await stripe.events.list({ types: ['radar.*'], limit: 2 })

    expect(charge.disputed).toBe(false)
    expect(warning).toMatchObject({ actionable: true, fraud_type: 'made_with_stolen_card' })
    expect(after).toMatchObject({ actionable: false, charge: { id: charge.id } })
    expect(events.data.map(({ type }) => type)).toEqual([
      'radar.early_fraud_warning.updated',
      'radar.early_fraud_warning.created',
    ])
  })

  it('stripe.C26 an early fraud warning can be made by hand', async () => {
    const charge = await pay()
    const { body } = await admin(url, `/charges/${charge.id}/early_fraud_warning`, { fraudType: 'misc' })

    expect(await stripe.radar.earlyFraudWarnings.retrieve(String(body.id))).toMatchObject({
      charge: charge.id,
      fraud_type: 'misc',
    })
  })

  it.each([
    ['winning_evidence', 'won', ['charge.dispute.closed', 'charge.dispute.funds_reinstated']],
    ['losing_evidence', 'lost', ['charge.dispute.closed']],
  ])('stripe.C27 %s makes it %s', async (uncategorized_text, status, closing) => {
    const { id, charge } = await raise()
    const sent = await stripe.disputes.update(id, { evidence: { uncategorized_text } })
    await advance(url, UNDER_WAY_SECONDS)
    const closed = await stripe.disputes.retrieve(id)

    expect(sent).toMatchObject({
      status: 'under_review',
      evidence: { uncategorized_text },
      evidence_details: { has_evidence: true, submission_count: 1, submission_method: 'manual' },
    })
    expect(closed.status).toBe(status)
    expect((await typesOf(id)).slice(2)).toEqual(['charge.dispute.updated', ...closing])
    const total = closed.balance_transactions.reduce((sum, { net }) => sum + net, 0)
    expect(total).toBe(status === 'won' ? 0 : -4000)
    expect((await stripe.charges.retrieve(charge.id)).disputed).toBe(true)
  })

  it('stripe.E13 evidence may be staged first, and is final once it was submitted', async () => {
    const { id } = await raise()
    const staged = await stripe.disputes.update(id, {
      evidence: { product_description: 'A chair' },
      submit: false,
      metadata: { case: '1' },
    })
    const sent = await stripe.disputes.update(id, { submit: true })
    const error = await errorOf(stripe.disputes.update(id, { evidence: { product_description: 'A table' } }))
    const labelled = await stripe.disputes.update(id, { metadata: { case: '2' } })

    expect(staged).toMatchObject({ status: 'needs_response', evidence_details: { submission_count: 0 } })
    expect(sent).toMatchObject({ status: 'under_review', evidence: { product_description: 'A chair' } })
    expect(error.statusCode).toBe(400)
    expect(labelled).toMatchObject({ metadata: { case: '2' }, evidence_details: { submission_count: 1 } })
    const [, , first] = await eventsOf(id)
    expect(first?.data.previous_attributes).toMatchObject({ evidence: { product_description: null } })
  })

  it('stripe.E13 closing it accepts the loss; a closed one stays as it is', async () => {
    const { id } = await raise()
    const closed = await stripe.disputes.close(id)

    expect(closed.status).toBe('lost')
    expect(await errorOf(stripe.disputes.close(id))).toMatchObject({ statusCode: 400 })
    expect(await typesOf(id)).toEqual([
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.closed',
    ])
  })

  it('stripe.E13 unanswered until it is due it is lost, an inquiry is dropped', async () => {
    const dispute = await raise()
    const inquiry = await raise({ inquiry: true })
    const answered = await raise()
    await stripe.disputes.update(answered.id, { evidence: { uncategorized_text: 'Please' } })
    await advance(url, 10 * DAY)

    expect(await stripe.disputes.retrieve(dispute.id)).toMatchObject({
      status: 'lost',
      evidence_details: { past_due: true },
    })
    expect(await stripe.disputes.retrieve(inquiry.id)).toMatchObject({ status: 'warning_closed' })
    expect(await stripe.disputes.retrieve(answered.id)).toMatchObject({ status: 'under_review' })
  })

  it('stripe.E13 an inquiry that escalates takes the money', async () => {
    const { id } = await raise({ inquiry: true })
    const escalated = await admin(url, `/disputes/${id}/escalate`, {})
    const again = await admin(url, `/disputes/${id}/escalate`, {})
    const dispute = await stripe.disputes.retrieve(id)

    expect(escalated.body).toMatchObject({ status: 'needs_response' })
    expect(again.status).toBe(400)
    expect(dispute.payment_method_details?.card?.case_type).toBe('chargeback')
    expect(nets(dispute)).toEqual([['adjustment', -2500, 1500, -4000]])
    expect(await typesOf(id)).toEqual([
      'charge.dispute.created',
      'charge.dispute.updated',
      'charge.dispute.funds_withdrawn',
    ])
  })

  it('stripe.E13 an inquiry with winning evidence is closed without money', async () => {
    const { id } = await raise({ inquiry: true })
    await stripe.disputes.update(id, { evidence: { uncategorized_text: 'winning_evidence' } })
    await advance(url, UNDER_WAY_SECONDS)
    const dispute = await stripe.disputes.retrieve(id)

    expect(dispute.status).toBe('warning_closed')
    expect(nets(dispute)).toEqual([])
  })

  it('can be decided by hand, once', async () => {
    const { id } = await raise({ amount: 1000, reason: 'duplicate' })
    const won = await admin(url, `/disputes/${id}/close`, { status: 'won' })

    expect(won.body).toMatchObject({ status: 'won', amount: 1000, reason: 'duplicate' })
    expect((await admin(url, `/disputes/${id}/close`, { status: 'lost' })).status).toBe(400)
  })

  it('may come after a refund, for all that was paid', async () => {
    const charge = await pay()
    await stripe.refunds.create({ charge: charge.id })
    const { body } = await admin(url, `/charges/${charge.payment_intent}/dispute`, {})

    expect(body).toMatchObject({ amount: 2500, status: 'needs_response' })
  })

  it('is listed by PaymentIntent and expanded; an unknown one is 404', async () => {
    const { id, charge } = await raise()
    const { data } = await stripe.disputes.list({
      payment_intent: String(charge.payment_intent),
      expand: ['data.charge', 'data.payment_intent'],
    })

    expect(data).toMatchObject([
      { id, charge: { id: charge.id }, payment_intent: { id: charge.payment_intent } },
    ])
    expect(await errorOf(stripe.disputes.retrieve('du_1'))).toMatchObject({ statusCode: 404 })
  })

  it.each([
    ['an amount above what was paid', { amount: 2501 }],
    ['an unknown reason', { reason: 'bored' }],
    ['an unknown field', { colour: 'blue' }],
  ])('is not raised with %s', async (_what, body) => {
    const charge = await pay()
    const answer = await admin(url, `/charges/${charge.id}/dispute`, body)

    expect(answer).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } })
    expect((await stripe.charges.retrieve(charge.id)).disputed).toBe(false)
  })

  it('of a payment that is captured by hand begins with the capture', async () => {
    const charge = await pay('pm_card_createDispute', { capture_method: 'manual' })
    await advance(url, UNDER_WAY_SECONDS)
    expect((await stripe.disputes.list({ charge: charge.id })).data).toEqual([])
    await stripe.paymentIntents.capture(String(charge.payment_intent), { amount_to_capture: 900 })
    await advance(url, UNDER_WAY_SECONDS)

    expect((await stripe.disputes.list({ charge: charge.id })).data).toMatchObject([{ amount: 900 }])
  })
})
