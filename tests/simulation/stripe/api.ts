import type { Stripe } from '@/lib/stripe/server'
import type { Random } from '../random'
import { billingMethods } from './billing-api'
import { errors, type Raised } from './errors'
import { Idempotency } from './idempotency'
import type { StripeModel } from './model'
import type { ModelIntent } from './objects'
import { found, Refusal } from './refusal'
import { renderedDispute, renderedIntent, renderedRefund } from './rendered'

type IntentRequest = Pick<Stripe.PaymentIntentCreateParams, 'metadata'> & {
  amount: number
  currency: string
  customer: string
  capture_method?: 'manual'
}
type RefundRequest = { payment_intent: string; amount: number; metadata: Record<string, string> }
type Options = { idempotencyKey: string }

/** A request on its way to Stripe: what may go wrong with it is decided by the one who sends it. */
export type Sender = { random: Random; trouble: { stripe: number } }

const WHOLE = { expanded: true }
const CANCELABLE = ['requires_payment_method', 'requires_action', 'requires_capture']
/** One that belongs to an invoice ends with the invoice only. */
const cancelable = ({ madeBy }: ModelIntent) => (madeBy === 'invoice' ? [] : CANCELABLE)

/** The calls that lib/ makes, answered by the model, with Stripe's ways to fail. */
export class StripeApi {
  readonly model: StripeModel
  readonly idempotency: Idempotency

  constructor(model: StripeModel) {
    this.model = model
    this.idempotency = new Idempotency()
  }

  /** What stands for the SDK's client. Only the methods that lib/ uses exist: another one fails at once. */
  client(sender: Sender): Stripe {
    const { model } = this
    const client = {
      customers: {
        create: async (asked: { metadata: Record<string, string> }, { idempotencyKey }: Options) =>
          this.#post(sender, idempotencyKey, asked, () => ({
            object: 'customer',
            ...model.createCustomer(asked.metadata),
          })),
      },
      paymentIntents: {
        create: async (asked: IntentRequest, { idempotencyKey }: Options) =>
          this.#post(sender, idempotencyKey, asked, () =>
            renderedIntent(model.createIntent(appIntent(asked)), WHOLE),
          ),
        retrieve: async (id: string) => this.#get(sender, () => renderedIntent(model.intent(id), WHOLE)),
        list: async (asked: Stripe.PaymentIntentListParams) =>
          this.#get(sender, () => this.#listIntents(asked)),
        capture: async (id: string) =>
          this.#moveIntent(sender, model.intent(id), ['requires_capture'], (intent) =>
            model.capture(intent, intent.amount),
          ),
        cancel: async (id: string) =>
          this.#moveIntent(sender, model.intent(id), cancelable(model.intent(id)), (intent) =>
            model.cancel(intent),
          ),
      },
      refunds: {
        create: async (asked: RefundRequest, { idempotencyKey }: Options) =>
          this.#post(sender, idempotencyKey, asked, () =>
            renderedRefund(model.createRefund(appRefund(asked)), WHOLE),
          ),
        retrieve: async (id: string) =>
          this.#get(sender, () => renderedRefund(found(model.refunds, id), WHOLE)),
        list: async ({ payment_intent }: { payment_intent: string }) =>
          this.#get(sender, () =>
            page(model.refundsOf(model.intent(payment_intent)).toReversed(), WHOLE, renderedRefund),
          ),
      },
      disputes: {
        retrieve: async (id: string) => this.#get(sender, () => renderedDispute(found(model.disputes, id))),
      },
      ...billingMethods(model, {
        get: (read) => this.#get(sender, read),
        post: (key, asked, make) => this.#post(sender, key, asked, make),
        move: (make) => this.#move(sender, make),
      }),
    }
    return client as unknown as Stripe
  }

  #listIntents({ customer, created, limit, starting_after }: Stripe.PaymentIntentListParams): unknown {
    const since = typeof created === 'object' ? (created.gte ?? 0) : 0
    const matching = this.model.intents
      .filter((intent) => intent.customer === customer && Math.floor(intent.createdMs / 1000) >= since)
      .toReversed()
    const from = matching.findIndex((intent) => intent.id === starting_after) + 1
    const part = matching.slice(from, from + (limit ?? 10))
    return { ...page(part, WHOLE, renderedIntent), has_more: from + part.length < matching.length }
  }

  #get<Result>({ random, trouble }: Sender, read: () => Result): Result {
    if (random.chance(trouble.stripe))
      throw random.pick([errors.connection, errors.rateLimited, errors.internal, errors.internal])()
    return answerOf(() => read())
  }

  #moveIntent(
    sender: Sender,
    intent: ModelIntent,
    from: readonly string[],
    move: (intent: ModelIntent) => void,
  ): unknown {
    return this.#move(sender, () => {
      if (!from.includes(intent.status)) throw new Refusal('payment_intent_unexpected_state')
      move(intent)
      return renderedIntent(intent, WHOLE)
    })
  }

  /** What can be done once only, by the state of the object: with another try, Stripe says that it has moved on. */
  #move({ random, trouble }: Sender, make: () => unknown): unknown {
    const fate = random.chance(trouble.stripe) ? random.pick(['does not arrive', 'answer is lost']) : null
    if (fate === 'does not arrive')
      throw random.pick([errors.connection, errors.rateLimited, errors.internal])()
    const answer = answerOf(make)
    if (fate === 'answer is lost') throw errors.connection()
    return answer
  }

  /** Everything that can happen to a request that makes something. */
  #post<Result>(sender: Sender, key: string, asked: object, make: () => Result): Result {
    const { random, trouble } = sender
    const fate = random.chance(trouble.stripe)
      ? random.weighted({
          'does not arrive': 2,
          'is answered, and the answer is lost': 4,
          'is too slow': 2,
          'fails, and the failure is kept': 2,
          'is done, and a failure is kept': 1,
          'finds its key used': 1,
          'is limited': 1,
          'is refused': 1,
        })
      : 'is answered'
    if (fate === 'does not arrive') throw errors.connection()
    if (fate === 'is limited') throw errors.rateLimited()
    const execute = () => this.idempotency.execute(key, asked, () => answerOf(make))
    switch (fate) {
      case 'is answered':
        return execute()
      case 'is answered, and the answer is lost':
        swallow(execute)
        throw errors.connection()
      case 'is too slow':
        this.idempotency.executeLater(key, asked, () => answerOf(make))
        throw errors.connection()
      case 'fails, and the failure is kept':
        return this.idempotency.execute(key, asked, () => raise(errors.internal()))
      case 'is done, and a failure is kept':
        return this.idempotency.execute(key, asked, () => {
          swallow(() => answerOf(make))
          return raise(errors.internal())
        })
      case 'finds its key used':
        this.idempotency.markUsedElsewhere(key)
        return execute()
      case 'is refused':
        return this.idempotency.execute(key, asked, () => raise(errors.refused('account_invalid')))
    }
  }
}

function appIntent({ amount, currency, customer, metadata, capture_method }: IntentRequest) {
  return {
    amount,
    currency,
    customer,
    metadata: metadata as Record<string, string>,
    madeBy: 'app' as const,
    captureMethod: capture_method ?? ('automatic' as const),
  }
}

function appRefund({ payment_intent, amount, metadata }: RefundRequest) {
  return { intentId: payment_intent, amount, metadata, madeBy: 'app' as const }
}

function page<Item, Options>(
  items: readonly Item[],
  options: Options,
  render: (item: Item, options: Options) => object,
): object {
  return { object: 'list', data: items.map((item) => render(item, options)), has_more: false }
}

/** An answer is a copy: nobody holds a piece of Stripe. */
function answerOf<Result>(ask: () => Result): Result {
  try {
    return structuredClone(ask())
  } catch (error) {
    throw error instanceof Refusal ? errors.refused(error.code) : error
  }
}

function raise(error: Raised): never {
  throw error
}

function swallow(call: () => unknown): void {
  try {
    call()
  } catch {
    // Whatever the answer was, nobody gets it.
  }
}
