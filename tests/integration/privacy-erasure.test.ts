import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import { beforeAll, describe, expect, it } from 'vitest'
import { HANDLERS, PAGES } from '@/lib/edge/route-table'
import { line, newApiKey, placeOrder } from '../support/api-keys'
import { columnsHolding } from '../support/database-text'
import { adminSql, callService } from '../support/db'
import { newStaff, type Paid, paid, until } from '../support/paid'
import { newOrder, newUserRow } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { eraseAccount, get, post, refund, startPayment, sweep } from '../support/requests'
import { setCookies, signIn, tokensIn } from '../support/sessions'
import { stack } from '../support/stack-in-test'
import { signedInBefore } from '../support/staff'
import { eventOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'

const { env, serverUrls } = stack()
const [server, second] = serverUrls as [string, string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

const customerOf = async (person: Person) => {
  const [row] = await adminSql()`
    select c.id, s.stripe_customer_id as stripe from public.customers c
    left join private.stripe_customers s on s.customer_id = c.id where c.user_id = ${person.id}`
  return { id: String(row?.id), stripe: String(row?.stripe) }
}

/** Every row of the books that a person's payments have made, as text: amounts, accounts, states. */
async function booksOf(customerId: string): Promise<string> {
  const rows = await adminSql()`
    select l.movement, e.account, e.amount_minor, e.currency, p.id, p.status, p.amount_minor as amount, p.amount_received_minor, p.paid_at,
      o.reference, o.total_minor, o.status as order_status
    from public.payments p join public.orders o on o.id = p.order_id
    left join private.ledger_transactions l on l.payment_id = p.id left join private.ledger_entries e on e.transaction_id = l.id
    where p.customer_id = ${customerId} order by e.id, p.id`
  return JSON.stringify(rows)
}

const allPostings = async () =>
  (await adminSql()`select id from private.ledger_transactions`).map(({ id }) => String(id))

/** What these come to by account. Money of other tests' payments may still arrive, and a reconciliation brings more. */
async function sumsOf(postings: string[]): Promise<string> {
  const rows = await adminSql()`
    select account, currency, count(*)::int as entries, sum(amount_minor)::text as minor from private.ledger_entries
    where transaction_id = any (${postings}::uuid[]) group by 1, 2 order by 1, 2`
  return JSON.stringify(rows)
}

const SENT = { 'content-type': 'application/json', origin: stack().appOrigin }

/** An answer in which nothing stands: empty lists and nulls. */
function isNothing(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).every(isNothing))
}

describe('an account that is deleted', () => {
  /** What only this person's rows can hold. */
  const mark = randomUUID().slice(0, 13)
  let bought: Paid
  let person: Person
  let customer: { id: string; stripe: string }
  let oldCookie: string
  let before: { books: string; postings: string[]; sums: string }
  let answer: Response

  beforeAll(async () => {
    bought = await paid()
    person = bought.person
    customer = await customerOf(person)
    oldCookie = person.cookie
    await newOrder(person.id)
    const { secret: key } = await newApiKey(await newStaff('admin'))
    const order = { customerId: customer.id, lines: [line()], reference: `for ${mark}` }
    await placeOrder(key, order, { key: `key-${mark}` })
    const asked = { reason: 'requested_by_customer', amountMinor: 500, note: `note ${mark}` }
    await refund(await newStaff('support'), bought.paymentId, asked)
    await until(async () => {
      const rows =
        await adminSql()`select from public.refunds where payment_id = ${bought.paymentId} and status = 'succeeded'`
      return rows.length === 1
    })
    // What other ways in could have left.
    await adminSql()`update public.payments set address_hash = ${`network ${mark}`}, card_fingerprint_hash = ${`card ${mark}`} where id = ${bought.paymentId}`
    await adminSql()`update private.payment_attempts set address_hash = ${`network ${mark}`} where payment_id = ${bought.paymentId}`
    await adminSql()`update private.idempotency_keys set key = ${`key ${mark}`} where payment_id = ${bought.paymentId}`
    await adminSql()`update auth.users set raw_user_meta_data = ${adminSql().json({ name: `Name ${mark}` })} where id = ${person.id}`
    await adminSql()`
      update private.webhook_events set payload = payload || ${adminSql().json({ name: `Name ${mark}` })} where object_id = ${bought.intentId}`
    const postings = await allPostings()
    before = { books: await booksOf(customer.id), postings, sums: await sumsOf(postings) }

    answer = await eraseAccount(person)
  })

  it('is answered at once, and its cookie goes (D7)', async () => {
    expect([answer.status, await answer.json()]).toEqual([200, { erased: true }])
    expect(setCookies(answer).filter(({ value }) => value !== '')).toEqual([])
    expect(setCookies(answer).length).toBeGreaterThan(0)
  })

  it('leaves nothing personal in any column of the whole database (D7)', async () => {
    expect(
      await columnsHolding([person.email, mark, person.accessToken, tokensIn(oldCookie).refreshToken]),
    ).toEqual([])
    // Its id names nobody any more: it stays where the sealed log says who did what, and nowhere else.
    expect(await columnsHolding([person.id])).toEqual(['private.audit_log.actor_id'])
    const [row] = await adminSql()`
      select card_brand, card_last4, card_exp_month, card_exp_year, card_country, card_fingerprint_hash, address_hash, failure_hint
      from public.payments where id = ${bought.paymentId}`
    expect(Object.values(row ?? { none: 0 }).filter((value) => value !== null)).toEqual([])
  })

  it('leaves the books as they were, under the pseudonym (D7)', async () => {
    expect(await booksOf(customer.id)).toBe(before.books)
    expect(before.books).toContain('sales')
    expect(await sumsOf(before.postings)).toBe(before.sums)
    const orders =
      await adminSql()`select status from public.orders where customer_id = ${customer.id} order by created_at`
    expect(orders.map(({ status }) => status)).toEqual(['paid', 'canceled', 'canceled'])
  })

  it('is deleted at Stripe, too (D7)', async () => {
    expect(await stripeSdk().customers.retrieve(customer.stripe)).toMatchObject({ deleted: true })
  })

  it('has each step in the audit log once (D8)', async () => {
    const rows = await adminSql()`
      select action, actor_type from private.audit_log where subject_id = ${customer.id} and action like 'erasure.%' order by id`

    expect(rows).toEqual([
      { action: 'erasure.begun', actor_type: 'customer' },
      { action: 'erasure.rows_erased', actor_type: 'system' },
      { action: 'erasure.stripe_deleted', actor_type: 'system' },
      { action: 'erasure.finished', actor_type: 'system' },
    ])
  })

  it('opens nothing any more with its old session: not here, not past us (D9)', async () => {
    const opened: string[] = []
    for (const [name, rule] of Object.entries(HANDLERS)) {
      const [method = '', template = ''] = name.split(' ')
      if (!(rule.callers as readonly string[]).includes('customer')) continue
      const path = template.replace('[id]', template.includes('orders') ? bought.orderId : bought.paymentId)
      const response = await fetch(`${server}${path}`, {
        method,
        headers: { ...SENT, cookie: oldCookie, 'idempotency-key': randomUUID() },
        ...(method === 'POST' && { body: JSON.stringify({ orderId: bought.orderId, confirm: 'delete' }) }),
      })
      const text = await response.text()
      const tells = response.ok ? !isNothing(JSON.parse(text)) : ![400, 401, 404].includes(response.status)
      if (tells) opened.push(`${name}: ${response.status} ${text}`)
    }
    for (const template of Object.keys(PAGES)) {
      const path = template.replace('[orderId]', bought.orderId).replace('[paymentId]', bought.paymentId)
      const page = await fetch(`${server}${path}`, { headers: { cookie: oldCookie }, redirect: 'manual' })
      const text = await page.text()
      if (text.includes(bought.paymentId.slice(0, 8)) && !path.includes(bought.paymentId)) opened.push(path)
      if (/PW-[0-9A-Z]{10}/.test(text)) opened.push(`${path} names an order`)
      if (text.includes(person.email)) opened.push(`${path} names the person`)
    }
    const client = createClient(env.SUPABASE_URL ?? '', env.SUPABASE_PUBLISHABLE_KEY ?? '', {
      accessToken: async () => person.accessToken,
    })
    for (const table of ['customers', 'orders', 'order_lines', 'payments', 'refunds', 'disputes']) {
      const { data, error } = await client.from(table).select()
      if (!error && data.length > 0) opened.push(`select ${table}: ${JSON.stringify(data)}`)
    }
    const renewed = await createClient(
      env.SUPABASE_URL ?? '',
      env.SUPABASE_PUBLISHABLE_KEY ?? '',
    ).auth.refreshSession({
      refresh_token: tokensIn(oldCookie).refreshToken,
    })
    const again = await signIn(person)

    expect(opened).toEqual([])
    expect([renewed.data.session, again.status]).toEqual([null, 401])
  })

  it('is not brought back by late events, replays, sweeps or reconciliation (D10)', async () => {
    const intent = await stripeSdk().paymentIntents.retrieve(bought.intentId, { expand: ['latest_charge'] })
    const charge = intent.latest_charge as unknown as Record<string, unknown>
    const late = [
      eventOf('charge.succeeded', charge),
      eventOf('charge.updated', charge),
      eventOf('payment_intent.succeeded', { ...intent, latest_charge: charge.id }),
      eventOf('customer.updated', {
        object: 'customer',
        id: customer.stripe,
        email: person.email,
        name: mark,
      }),
      // Made in Stripe's dashboard, for somebody we knew.
      eventOf('charge.failed', {
        ...charge,
        id: `ch_late${mark}`,
        status: 'failed',
        captured: false,
        failure_code: 'card_declined',
      }),
    ]
    for (const event of late) expect((await postEvent(server, event, { secret })).status).toBe(200)
    await adminSql()`update public.payments set checked_at = now() - interval '1 day', updated_at = now() where id = ${bought.paymentId}`
    await sweep()
    await fetch(`${server}/api/cron/reconcile`, {
      method: 'POST',
      headers: { authorization: `Bearer ${env.CRON_SECRET}` },
    })

    const [row] = await adminSql()`
      select p.card_last4, p.card_brand, p.card_fingerprint_hash, c.user_id,
        (select count(*)::int from private.payment_attempts a where a.payment_id = p.id and (a.failure_code is not null or a.card_fingerprint_hash is not null)) as told,
        (select count(*)::int from private.webhook_events e where e.event_id = any (${late.map(({ id }) => id)}) and e.payload is not null) as payloads
      from public.payments p join public.customers c on c.id = p.customer_id where p.id = ${bought.paymentId}`
    expect(row).toEqual({
      card_last4: null,
      card_brand: null,
      card_fingerprint_hash: null,
      user_id: null,
      told: 0,
      payloads: 0,
    })
    expect(await columnsHolding([person.email, mark])).toEqual(
      [
        'private.payment_attempts.stripe_charge_id',
        'private.webhook_events.object_id',
        'private.audit_log.detail',
      ].toSorted(),
    )
    expect(await booksOf(customer.id)).toBe(before.books)
    expect(await sumsOf(before.postings)).toBe(before.sums)
  }, 120_000)

  it('can be made anew by the same address: somebody we do not know', async () => {
    const id = await newUserRow()
    await adminSql()`update auth.users set email = ${person.email} where id = ${id}`

    await newOrder(id)

    const [row] = await adminSql()`select id from public.customers where user_id = ${id}`
    expect(row?.id).not.toBe(customer.id)
    await adminSql()`update auth.users set email = ${`${id}@example.test`} where id = ${id}`
  })
})

describe('what keeps an account (D10)', () => {
  const BLOCKED: [string, (bought: Paid) => Promise<unknown>, (bought: Paid) => Promise<unknown>][] = [
    [
      'payment_open',
      // A payment of its own, of which no late event tells.
      ({ person }) => adminSql()`
        insert into public.payments (customer_id, livemode, origin, status, amount_minor, currency, description)
        select id, false, 'stripe', 'processing', 100, 'eur', '' from public.customers where user_id = ${person.id}`,
      ({ person }) => adminSql()`
        update public.payments set status = 'canceled' where status = 'processing'
          and customer_id = (select id from public.customers where user_id = ${person.id})`,
    ],
    [
      'refund_open',
      ({ paymentId }) => adminSql()`
        insert into private.refund_requests (payment_id, amount_minor, reason, stripe_request, checked_at)
        values (${paymentId}, 100, 'duplicate', '{}', now() + interval '1 hour')`,
      ({ paymentId }) =>
        adminSql()`update private.refund_requests set status = 'refused' where payment_id = ${paymentId}`,
    ],
    [
      'refund_open',
      ({ paymentId }) => adminSql()`
        insert into public.refunds (payment_id, livemode, stripe_refund_id, status, amount_minor, currency)
        values (${paymentId}, false, ${`re_${paymentId}`}, 'pending', 100, 'eur')`,
      ({ paymentId }) => adminSql()`delete from public.refunds where payment_id = ${paymentId}`,
    ],
    [
      'dispute_open',
      ({ paymentId }) => adminSql()`
        insert into public.disputes (payment_id, livemode, stripe_dispute_id, status, amount_minor, currency)
        values (${paymentId}, false, ${`dp_${paymentId}`}, 'under_review', 100, 'eur')`,
      ({ paymentId }) => adminSql()`delete from public.disputes where payment_id = ${paymentId}`,
    ],
    [
      'subscription_live',
      ({ person }) => adminSql()`
        insert into public.subscriptions (customer_id, livemode, stripe_subscription_id, status, began_at)
        select id, false, ${`sub_${randomUUID()}`}, 'past_due', now() from public.customers where user_id = ${person.id}`,
      ({ person }) => adminSql()`
        update public.subscriptions set status = 'canceled'
        where customer_id = (select id from public.customers where user_id = ${person.id})`,
    ],
    [
      'still_staff',
      ({ person }) => adminSql()`insert into private.staff (user_id, role) values (${person.id}, 'support')`,
      ({ person }) => adminSql()`update private.staff set role = null where user_id = ${person.id}`,
    ],
  ]

  it('is said by a 409 for each, and nothing has happened', async () => {
    const bought = await paid()
    for (const [code, arrange, end] of BLOCKED) {
      await arrange(bought)

      const response = await eraseAccount(bought.person)

      expect(
        [response.status, ((await response.json()) as { error: { code: string } }).error.code],
        code,
      ).toEqual([409, code])
      const [row] = await adminSql()`
        select (select count(*)::int from private.erasures e join public.customers c on c.id = e.customer_id where c.user_id = u.id) as erasures
        from auth.users u where u.id = ${bought.person.id}`
      expect(row).toEqual({ erasures: 0 })
      await end(bought)
    }
    expect((await get('/api/payments/history', bought.person)).status).toBe(200)
    expect((await eraseAccount(bought.person)).status).toBe(200)
  })

  it('is an older sign-in, a stranger, another word', async () => {
    const someone = await newPerson()
    const stale = await signedInBefore(someone, 11)

    const answers = [
      await eraseAccount(stale),
      await eraseAccount(null),
      await post('/api/privacy/erasure', await newPerson(), { confirm: 'yes' }),
    ]

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 400])
    expect(await answers[0]?.json()).toMatchObject({ error: { code: 'proof_too_old' } })
  })

  it('is not a second request at the same time: it happens once (D8)', async () => {
    const person = await newPerson()
    const { id } = await callService<{ id: string }>('claim_stripe_customer', {
      p_actor: person.id,
      p_livemode: false,
    }).then(() => customerOf(person))

    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => eraseAccount(person, { server: n % 2 ? server : second })),
    )

    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => ![200, 401].includes(status))).toEqual([])
    const rows = await adminSql()`
      select action, count(*)::int as n from private.audit_log where subject_id = ${id} and action like 'erasure.%' group by 1 order by 1`
    expect(rows).toEqual(
      ['begun', 'finished', 'rows_erased', 'stripe_deleted'].map((step) => ({
        action: `erasure.${step}`,
        n: 1,
      })),
    )
  })

  it('is raced by a payment, and one of the two sees the other', async () => {
    for (let round = 0; round < 4; round++) {
      const person = await newPerson()
      const orderId = await newOrder(person.id)

      const [started, erased] = await Promise.all([
        startPayment(person, orderId, { server: second }),
        eraseAccount(person, { server }),
      ])

      const [open] = await adminSql()`
        select count(*)::int as n from public.payments p join private.erasures e on e.customer_id = p.customer_id
        where p.order_id = ${orderId} and p.status not in ('succeeded', 'canceled')`
      expect(open?.n, `${started.status} ${erased.status}`).toBe(0)
      expect(
        [started.status === 201, erased.status === 200].filter(Boolean),
        `${started.status} ${erased.status}`,
      ).toHaveLength(1)
    }
  })
})

describe('an order that is placed while its person goes', () => {
  it('waits for the one and is refused, or would be somebody’s who is gone (D10)', async () => {
    const userId = await newUserRow()
    await newOrder(userId)
    const erasing = await adminSql().reserve()
    try {
      await erasing`begin`
      await erasing`select service.begin_erasure(${userId})`

      const ordering = newOrder(userId).catch((error: { code: string }) => error.code)
      await new Promise((resolve) => setTimeout(resolve, 300))
      await erasing`commit`

      expect(await ordering).toBe('P0002')
    } finally {
      erasing.release()
    }
  })
})

describe('an erasure that was left half-way (D8)', () => {
  it('is gone on with by the sweeper until it is done', async () => {
    const { person } = await paid()
    const customer = await customerOf(person)
    // As after a crash right behind the beginning.
    const begun = await callService<{ customerId: string }>('begin_erasure', { p_actor: person.id })
    const finished = async () => {
      const [row] =
        await adminSql()`select finished_at from private.erasures where customer_id = ${begun.customerId}`
      return row?.finished_at !== null
    }
    expect(await finished()).toBe(false)

    await until(async () => (await sweep()).ok && (await finished()))

    expect(await stripeSdk().customers.retrieve(customer.stripe)).toMatchObject({ deleted: true })
    expect(await columnsHolding([person.email])).toEqual([])
  })

  it('takes a customer along that Stripe made and nobody noted', async () => {
    const person = await newPerson()
    const { customerId, attempt } = await callService<{ customerId: string; attempt: number }>(
      'claim_stripe_customer',
      {
        p_actor: person.id,
        p_livemode: false,
      },
    )
    const made = await stripeSdk().customers.create(
      { metadata: { customer_id: customerId } },
      { idempotencyKey: `customer:${customerId}:${attempt}` },
    )

    expect((await eraseAccount(person)).status).toBe(200)

    expect(await stripeSdk().customers.retrieve(made.id)).toMatchObject({ deleted: true })
  })

  it('begins again for a customer that is linked late', async () => {
    const person = await newPerson()
    const { customerId } = await callService<{ customerId: string }>('claim_stripe_customer', {
      p_actor: person.id,
      p_livemode: false,
    })
    expect((await eraseAccount(person)).status).toBe(200)
    const late = await stripeSdk().customers.create({ metadata: { customer_id: customerId } })
    await adminSql()`update private.stripe_customers set stripe_customer_id = null where customer_id = ${customerId}`
    await callService('link_stripe_customer', {
      p_customer_id: customerId,
      p_livemode: false,
      p_stripe_customer_id: late.id,
    })

    await until(async () => {
      await adminSql()`update private.erasures set tried_at = null where customer_id = ${customerId}`
      await sweep()
      return (await stripeSdk().customers.retrieve(late.id)).deleted === true
    })
  })

  it('comes to every row of a long history, batch by batch', async () => {
    const { person, paymentId } = await paid()
    const { id } = await customerOf(person)
    await adminSql()`
      insert into private.idempotency_keys (customer_id, key, input_hash, payment_id)
      select ${id}, 'k' || n, 'h', ${paymentId} from generate_series(1, 450) n`
    await callService('begin_erasure', { p_actor: person.id })

    const more = []
    do more.push(await callService<boolean>('erase_rows', { p_customer_id: id, p_limit: 200 }))
    while (more.at(-1))

    expect(more.length).toBe(4)
    expect(await adminSql()`select from private.idempotency_keys where customer_id = ${id}`).toHaveLength(0)
    await sweep()
  })
})
