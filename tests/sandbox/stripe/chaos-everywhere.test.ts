import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../sandbox/stripe/chaos/chaos.ts'
import { FAULT_NAMES, FAULT_POINTS, type FaultName } from '../../../sandbox/stripe/chaos/faults.ts'
import { PROFILES } from '../../../sandbox/stripe/chaos/profiles.ts'
import { admin, localStripe, SECRET_KEY } from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

/** Short measures, so that nothing here waits for long. */
const MEASURES = { ms: 1, seconds: 1 }

type Call = { path: string; fields: Record<string, string> }

/** A call at which a fault of each kind is decided. */
const OCCASIONS: Record<(typeof FAULT_POINTS)[FaultName], () => Promise<Call>> = {
  request: async () => ({ path: '/v1/customers', fields: {} }),
  event: async () => ({ path: '/v1/customers', fields: {} }),
  refund: async () => ({ path: '/v1/refunds', fields: { payment_intent: await paid() } }),
  challenge: async () => ({
    path: '/v1/payment_intents',
    fields: { ...payment, payment_method: 'pm_card_threeDSecure2Required', use_stripe_sdk: 'true' },
  }),
}

const payment = {
  amount: '900',
  currency: 'usd',
  confirm: 'true',
  'automatic_payment_methods[enabled]': 'true',
  'automatic_payment_methods[allow_redirects]': 'never',
}

describe('each fault', () => {
  it.each(FAULT_NAMES)('%s happens when a call asks for it by header', async (fault) => {
    const call = await occasion(fault)
    await admin(url, '/chaos', { seed: 'test', rules: [] })
    await send(call, `${fault};ms=${MEASURES.ms};seconds=${MEASURES.seconds}`)

    expect(await fired()).toContainEqual({ rule: null, fault })
  })

  it.each(FAULT_NAMES)('%s happens by a rule', async (fault) => {
    const call = await occasion(fault)
    await admin(url, '/chaos', { seed: 'test', rules: [] })
    await admin(url, '/chaos/rules', { fault, ...MEASURES, count: 1 })
    await send(call)

    expect(await fired()).toContainEqual({ rule: 1, fault })
  })

  it.each(FAULT_NAMES)('%s is up to a profile too', async (fault) => {
    const [profile] =
      Object.entries(PROFILES).find(([, rules]) =>
        rules.some((rule) => rule.fault === fault && !rule.eventType),
      ) ?? []
    const call = await occasion(fault)
    await admin(url, '/chaos', { profile: profile ?? 'none', seed: 'test' })
    await send(call)

    expect(await considered()).toContain(fault)
  })

  it('is in the profile of everything', () => {
    const everything = new Set(PROFILES.everything?.map((rule) => rule.fault))

    expect(FAULT_NAMES.filter((name) => !everything.has(name))).toEqual([])
  })
})

async function occasion(fault: FaultName): Promise<Call> {
  await admin(url, '/chaos', undefined, 'DELETE')
  return OCCASIONS[FAULT_POINTS[fault]]()
}

async function paid(): Promise<string> {
  const { id } = await stripe.paymentIntents.create({
    amount: 900,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
  })
  return id
}

/** Without the SDK, which would come again after a reset. How it ends does not matter here. */
async function send({ path, fields }: Call, chaos?: string): Promise<void> {
  const headers = { authorization: `Bearer ${SECRET_KEY}`, ...(chaos ? { 'x-local-chaos': chaos } : {}) }
  await fetch(url + path, { method: 'POST', body: new URLSearchParams(fields), headers })
    .then((response) => response.text())
    .catch(() => '')
}

async function log(): Promise<Decision[]> {
  return (await admin(url, '/chaos/log')).body.log as Decision[]
}

const fired = async () => (await log()).flatMap(({ rule, fault, fired }) => (fired ? [{ rule, fault }] : []))

const considered = async () => (await log()).map(({ fault }) => fault)
