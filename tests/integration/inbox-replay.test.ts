import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { undone, within } from '../support/audit'
import { adminSql, callService } from '../support/db'
import { effectsOn, type OpenedPayment, openedPayment, PAID_ONCE } from '../support/payment-rows'
import { get } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { auditOf, REASON, replay, type Voices, voices } from '../support/staff'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'
import { untilStripeHasToldAll } from '../support/stripe-silence'

const { serverUrls, env } = stack()
const [first, second] = serverUrls as [string, string]
const secret = env.STRIPE_WEBHOOK_SECRET as string

const succeeded = (payment: OpenedPayment, more = {}) =>
  eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'), more)
const eventRow = async (id: string) => {
  const [row] = await adminSql()`
    select status, source, attempts, last_error from private.webhook_events where event_id = ${id}`
  return row
}
const auditRows = async (payment: OpenedPayment) => {
  const [row] = await adminSql()`select count(*)::int as n from private.audit_log
    where subject_id in (${payment.paymentId}, ${payment.orderId})`
  return row?.n
}

/** Something in the database that makes every event about money fail, until it is put right. */
async function breakLedger(): Promise<() => Promise<void>> {
  const sql = adminSql()
  await sql.unsafe(`
    create function private.test_refuse() returns trigger language plpgsql set search_path = '' as
      $$ begin raise exception 'broken' using errcode = 'XX001'; end $$;
    create trigger test_refuse before insert on private.ledger_transactions execute function private.test_refuse()`)
  return async () => {
    await sql.unsafe(
      'drop trigger test_refuse on private.ledger_transactions; drop function private.test_refuse',
    )
  }
}

/** An event that failed eight times, as far as the inbox knows. */
async function parked(payment: OpenedPayment): Promise<string> {
  const event = succeeded(payment)
  await postEvent(first, event, { secret })
  await adminSql()`update private.webhook_events set attempts = 7 where event_id = ${event.id}`
  const response = await postEvent(second, event, { secret })
  if (response.status !== 200) throw new Error(`not parked: ${response.status}`)
  return event.id
}

let staff: Voices
let putRight: (() => Promise<void>) | null = null

beforeAll(async () => {
  // What it still told of earlier tests would fail here, too, and come again in the midst of a later one.
  await untilStripeHasToldAll()
  staff = await voices()
})
afterAll(() => putRight?.())

describe('replaying one event', () => {
  it('changes nothing when the event had been processed, and says who asked and why (W4)', async () => {
    const payment = await openedPayment()
    const event = succeeded(payment)
    await postEvent(first, event, { secret })
    const rowsBefore = await auditRows(payment)

    const response = await replay(staff.support, { eventId: event.id }, { server: second })

    expect(response.status).toBe(201)
    const answer = (await response.json()) as { replay: { replayId: string } }
    expect(answer).toEqual({
      replay: { replayId: expect.any(String), events: 1, outcomes: { processed: 1 } },
    })
    expect(await eventRow(event.id)).toEqual({
      status: 'processed',
      source: 'replay',
      attempts: 1,
      last_error: null,
    })
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
    expect(await auditRows(payment)).toBe(rowsBefore)
    expect(await auditOf(staff.support, 'replay.requested')).toEqual([
      {
        actor_type: 'staff',
        subject_type: 'replay',
        subject_id: answer.replay.replayId,
        detail: { reason: REASON, events: 1 },
      },
    ])
    expect(await auditOf(staff.support, 'event.replayed')).toMatchObject([
      { subject_id: event.id, detail: { replay_id: answer.replay.replayId, from: 'processed' } },
    ])
  })

  it('applies a parked event once, when what broke it is put right (W17)', async () => {
    const payment = await openedPayment()
    putRight = await breakLedger()
    const id = await parked(payment)
    expect(await eventRow(id)).toMatchObject({ status: 'parked', attempts: 8, last_error: 'XX001' })
    const early = await replay(staff.support, { eventId: id })
    expect(await early.json()).toMatchObject({ replay: { outcomes: { failed: 1 } } })
    expect(await effectsOn(payment)).toMatchObject({ status: 'creating', postings: 0 })
    await putRight()
    putRight = null

    const answers = await Promise.all([
      replay(staff.support, { eventId: id }, { server: first }),
      replay(staff.admin, { eventId: id }, { server: second }),
    ])
    const again = await replay(staff.support, { eventId: id })

    expect([...answers, again].map((answer) => answer.status)).toEqual([201, 201, 201])
    expect(await eventRow(id)).toMatchObject({ status: 'processed', last_error: null })
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })

  it('judges anew what was rejected or ignored, and comes to the same end while nothing else has changed', async () => {
    const payment = await openedPayment()
    const rejected = succeeded(payment, { account: 'acct_somebodyelse' })
    const ignored = eventOf('unheard_of.type', { object: 'unheard_of', id: 'un_1' })
    for (const event of [rejected, ignored]) await postEvent(first, event, { secret })

    const answers = await Promise.all(
      [rejected, ignored].map(
        async ({ id }) =>
          (await replay(staff.support, { eventId: id })).json() as Promise<{ replay: { outcomes: object } }>,
      ),
    )

    expect(answers.map((answer) => answer.replay.outcomes)).toEqual([{ rejected: 1 }, { ignored: 1 }])
    expect(await effectsOn(payment)).toMatchObject({ status: 'creating', postings: 0 })
  })

  it('refuses an event that is not there, is of the other mode, or whose payload is gone', async () => {
    const payment = await openedPayment()
    const ofOtherMode = succeeded(payment, { livemode: true })
    const trimmed = succeeded(await openedPayment())
    for (const event of [ofOtherMode, trimmed]) await postEvent(first, event, { secret })
    await adminSql()`update private.webhook_events set payload = null where event_id = ${trimmed.id}`

    const statuses = await Promise.all(
      ['evt_never', ofOtherMode.id, trimmed.id].map(
        async (eventId) => (await replay(staff.support, { eventId })).status,
      ),
    )

    expect(statuses).toEqual([404, 404, 409])
    expect(await effectsOn(payment)).toMatchObject({ status: 'creating' })
  })
})

describe('replaying a range', () => {
  it('applies a hundred parked events once each, also when two servers replay them at once, and again', async () => {
    const from = new Date(Date.now() - 1)
    const payments = await Promise.all(Array.from({ length: 100 }, () => openedPayment()))
    putRight = await breakLedger()
    const events = payments.map((payment) => succeeded(payment))
    // Some at a time: what waits for a connection for too long is not even kept.
    for (let n = 0; n < events.length; n += 20)
      await Promise.all(
        events.slice(n, n + 20).map((event, i) => postEvent(i % 2 ? first : second, event, { secret })),
      )
    await putRight()
    putRight = null
    await adminSql()`update private.webhook_events set status = 'parked' where event_id = any (${events.map(({ id }) => id)})`
    const range = { from: from.toISOString(), until: new Date(Date.now() + 1000).toISOString() }
    const type = 'payment_intent.succeeded'

    const parkedOnes = await Promise.all(
      [first, second].map((server) => replay(staff.admin, { ...range, type, status: 'parked' }, { server })),
    )
    const processedOnes = await Promise.all(
      [first, second].map((server) =>
        replay(staff.admin, { ...range, type, status: 'processed' }, { server }),
      ),
    )

    const counts = await Promise.all(
      parkedOnes.map(
        async (answer) => ((await answer.json()) as { replay: { events: number } }).replay.events,
      ),
    )
    expect(counts.toSorted((a, b) => a - b)).toEqual([0, 100])
    expect(processedOnes.map((answer) => answer.status)).toEqual([201, 201])
    const effects = await Promise.all(payments.map((payment) => effectsOn(payment)))
    expect(effects).toEqual(payments.map(() => expect.objectContaining(PAID_ONCE)))
    const [left] = await adminSql()`
      select count(*)::int as n from private.webhook_events
      where event_id = any (${events.map(({ id }) => id)}) and status <> 'processed'`
    expect(left?.n).toBe(0)
    const [asked] = await auditOf(staff.admin, 'replay.requested').then((rows) =>
      rows.filter(({ detail }) => detail.events === 100),
    )
    expect(asked?.detail).toMatchObject({ reason: REASON, status: 'parked', type })
  })

  it('takes a thousand events and not one more, and leaves nothing half done', async () => {
    const replayUntil = (until: string) =>
      undone(async (sql) => {
        await sql`insert into private.webhook_events
          (livemode, event_id, type, stripe_created_at, payload, payload_hash, source, status, received_at)
          select false, 'evt_old_' || n, 'x.y', now(), '{}', '', 'webhook', 'ignored', '2001-01-01Z'::timestamptz + n * interval '1 second'
          from generate_series(0, 1000) n`
        return await within(sql)('replay_events', {
          p_actor: staff.admin.id,
          p_livemode: false,
          p_from: '2001-01-01T00:00:00Z',
          p_until: until,
          p_status: 'ignored',
          p_type: null,
          p_reason: REASON,
        })
      })

    const outcomes = await Promise.all([
      replayUntil('2001-01-01T00:16:41Z').catch((error: { code: string }) => error.code),
      replayUntil('2001-01-01T00:16:40Z'),
    ])

    expect(outcomes).toMatchObject(['PW011', { events: 1000 }])
  })

  it('is for admins alone, wants a reason, and a range that makes sense', async () => {
    const range = { from: '2001-01-01T00:00:00Z', until: '2001-01-02T00:00:00Z', status: 'parked' }

    const statuses = {
      support: (await replay(staff.support, range)).status,
      auditor: (await replay(staff.auditor, range)).status,
      customer: (await replay(staff.customer, range)).status,
      nobody: (await replay(null, range)).status,
      noReason: (await replay(staff.admin, { ...range, reason: '    ' })).status,
      backwards: (await replay(staff.admin, { ...range, until: range.from })).status,
      noStatus: (await replay(staff.admin, { ...range, status: undefined })).status,
      both: (await replay(staff.admin, { ...range, eventId: 'evt_1' })).status,
    }

    expect(statuses).toEqual({
      support: 403,
      auditor: 403,
      customer: 403,
      nobody: 401,
      noReason: 400,
      backwards: 400,
      noStatus: 400,
      both: 400,
    })
    expect(await auditOf(staff.auditor, 'replay.requested')).toEqual([])
  })
})

describe('the list of the inbox', () => {
  const page = async (query: string) => {
    const response = await get(`/api/admin/events?${query}`, staff.auditor)
    return (await response.json()) as { events: { id: string; status: string }[]; nextCursor: string | null }
  }

  it('shows events of a status page by page, each once, without what they said', async () => {
    const type = `unheard_of.${randomUUID().replaceAll(/[^a-z]/g, '')}`
    const events = Array.from({ length: 5 }, () => eventOf(type, { object: 'unheard_of', id: 'un_canary' }))
    for (const event of events) await postEvent(first, event, { secret })

    const seen: string[] = []
    let cursor: string | null = null
    do {
      const more: string = cursor ? `&cursor=${cursor}` : ''
      const { events: rows, nextCursor } = await page(`status=ignored&type=${type}&limit=2${more}`)
      seen.push(...rows.map(({ id }) => id))
      cursor = nextCursor
    } while (cursor)

    expect(seen).toEqual(events.map(({ id }) => id).toReversed())
    expect(await page(`status=parked&type=${type}`)).toEqual({ events: [], nextCursor: null })
    const [row] = (await page(`type=${type}&limit=1`)).events
    expect(Object.keys(row ?? {}).toSorted()).toEqual(
      ['id', 'livemode', 'type', 'objectId', 'status', 'source', 'attempts', 'lastError', 'receivedAt']
        .concat(['processedAt', 'nextAttemptAt', 'replayId'])
        .toSorted(),
    )
    expect((await auditOf(staff.auditor, 'inbox.read')).at(-1)?.detail).toEqual({ type })
  })

  it('is for staff, and refuses what it did not hand out', async () => {
    const statuses = await Promise.all(
      [
        get('/api/admin/events', null),
        get('/api/admin/events', staff.customer),
        get('/api/admin/events', staff.support),
        get('/api/admin/events?cursor=bm90aGluZw', staff.support),
        get('/api/admin/events?status=unknown', staff.support),
      ].map(async (answer) => (await answer).status),
    )

    expect(statuses).toEqual([401, 403, 200, 400, 400])
    await expect(
      callService('inbox_events', {
        p_actor: staff.customer.id,
        p_status: null,
        p_type: null,
        p_after_at: null,
        p_after_id: null,
        p_limit: 10,
      }),
    ).rejects.toMatchObject({ code: '42501' })
  })
})
