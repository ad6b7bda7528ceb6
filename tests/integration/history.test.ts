import { beforeAll, describe, expect, it } from 'vitest'
import { referenceOf } from '@/lib/payments/payment-row'
import { adminSql } from '../support/db'
import { manyPayments } from '../support/history-rows'
import { newStaff, paid, until } from '../support/paid'
import { newPerson, type Person } from '../support/people'
import { get, refund } from '../support/requests'

type Payment = { id: string; description: string; status: string; refundedMinor: number; createdAt: string }
type Page = { payments: Payment[]; nextCursor: string | null }

const HOW_MANY = 1203

let ada: Person
let bob: Person

beforeAll(async () => {
  ;[ada, bob] = await Promise.all([newPerson(), newPerson()])
  await manyPayments({ userId: ada.id, howMany: HOW_MANY })
  await manyPayments({ userId: bob.id, howMany: 3, description: '=HYPERLINK("x"), "quoted"\nline' })
})

async function history(person: Person, query: Record<string, string> = {}): Promise<Page> {
  const response = await get(`/api/payments/history?${new URLSearchParams(query)}`, person)
  expect(response.status, JSON.stringify(query)).toBe(200)
  return (await response.json()) as Page
}

async function wholeHistory(person: Person, query: Record<string, string>): Promise<Payment[]> {
  const payments: Payment[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Page = await history(person, { ...query, limit: '100', ...(cursor && { cursor }) })
    payments.push(...page.payments)
    cursor = page.nextCursor
  }
  return payments
}

async function csvOf(
  person: Person,
  query: Record<string, string> = {},
): Promise<{ response: Response; text: string }> {
  const response = await get(
    `/api/payments/history?${new URLSearchParams({ format: 'csv', ...query })}`,
    person,
  )
  // response.text() would leave out the mark that says it is UTF-8.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await response.arrayBuffer())
  return { response, text }
}

describe('the history', () => {
  it('by status is exactly the payments in that state, on every page each once', async () => {
    const [row] = await adminSql()`
      select count(*) filter (where status = 'succeeded' and amount_refunded_minor = 0)::int as paid,
        count(*) filter (where amount_refunded_minor > 0)::int as refunded,
        count(*) filter (where status = 'canceled')::int as canceled
      from public.payments p join public.customers c on c.id = p.customer_id where c.user_id = ${ada.id}`

    const paidOnes = await wholeHistory(ada, { status: 'paid' })
    const refunded = await wholeHistory(ada, { status: 'refunded' })
    const canceled = await wholeHistory(ada, { status: 'canceled' })
    const unfinished = await wholeHistory(ada, { status: 'unfinished' })

    expect(
      [paidOnes, refunded, canceled].map((payments) => new Set(payments.map(({ id }) => id)).size),
    ).toEqual([row?.paid, row?.refunded, row?.canceled])
    expect(paidOnes.every(({ status, refundedMinor }) => status === 'succeeded' && refundedMinor === 0)).toBe(
      true,
    )
    expect(refunded.every(({ refundedMinor }) => refundedMinor > 0)).toBe(true)
    expect(canceled.every(({ status }) => status === 'canceled')).toBe(true)
    expect(unfinished).toEqual([])
    expect(row?.paid + row?.refunded + row?.canceled).toBe(HOW_MANY)
  })

  it('by date holds both days it names, whole and in UTC', async () => {
    await adminSql()`
      insert into public.payments (customer_id, livemode, origin, status, amount_minor, currency, description, created_at)
      select c.id, false, 'stripe', 'succeeded', 100, 'eur', 'edge ' || at, at::timestamptz
      from public.customers c, unnest(array['2025-03-01T23:59:59.999Z', '2025-03-02T00:00:00Z',
        '2025-03-03T23:59:59.999999Z', '2025-03-04T00:00:00Z']) as at where c.user_id = ${bob.id}`

    const { payments } = await history(bob, { from: '2025-03-02', to: '2025-03-03' })

    expect(payments.map(({ description }) => description)).toEqual([
      'edge 2025-03-03T23:59:59.999999Z',
      'edge 2025-03-02T00:00:00Z',
    ])
  })

  it('finds a text, a card by its last digits, and takes no sign in it for a pattern', async () => {
    const [exact, anyCase, signs, escaped, card, otherCard] = await Promise.all([
      history(ada, { q: 'Subscription 1203' }),
      history(ada, { q: 'sUBSCRIPTION 1203' }),
      history(ada, { q: 'Subscription%1203' }),
      history(ada, { q: 'Subscription\\ 1203' }),
      history(ada, { q: '4242', limit: '5' }),
      history(ada, { q: '1881' }),
    ])

    expect(exact.payments.map(({ description }) => description)).toEqual(['Subscription 1203'])
    expect(anyCase.payments).toEqual(exact.payments)
    expect([signs, escaped, otherCard].map(({ payments }) => payments)).toEqual([[], [], []])
    expect(card.payments).toHaveLength(5)
    expect(card.nextCursor).not.toBeNull()
  })

  it('finds a payment by its reference and by its id, an order by its own, and nobody else’s', async () => {
    const bought = await paid({ person: bob })
    const [order] = await adminSql()`select reference from public.orders where id = ${bought.orderId}`
    const reference = referenceOf(bought.paymentId)
    const names = [
      reference,
      reference.toLowerCase(),
      reference.slice(2),
      bought.paymentId,
      String(order?.reference),
    ]

    for (const q of [...names, `Order ${order?.reference}`]) {
      const own = await history(bob, { q: ` ${q} ` })
      const strangers = await history(ada, { q })

      expect(
        own.payments.map(({ id }) => id),
        q,
      ).toEqual([bought.paymentId])
      expect(strangers.payments, q).toEqual([])
    }
    expect((await history(bob, { q: reference, status: 'canceled' })).payments).toEqual([])
  })

  it('refuses a filter it does not know', async () => {
    for (const query of [
      'status=succeeded',
      'from=yesterday',
      'to=2026-13-01',
      'q=a%00b',
      `q=${'a'.repeat(81)}`,
      'format=xml',
      'format=csv&limit=5',
    ]) {
      const response = await get(`/api/payments/history?${query}`, ada)

      expect(response.status, query).toBe(400)
    }
  })
})

describe('the history as CSV', () => {
  it('holds every payment of the person and none of anybody else, the newest first', async () => {
    const { response, text } = await csvOf(ada)
    const [headings, ...lines] = text.trimEnd().split('\r\n')

    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="payments.csv"')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(headings).toBe(
      '\uFEFFReference,Started (UTC),Paid (UTC),Description,Status,Amount,Refunded,Currency,Card',
    )
    expect(lines).toHaveLength(HOW_MANY)
    expect(new Set(lines.map((line) => line.split(',')[0])).size).toBe(HOW_MANY)
    expect(lines[0]).toMatch(
      /^P-[0-9A-F]{12},2026-01-01 00:20:03,2026-01-01 00:00:00,Subscription 1203,succeeded,19\.00,0\.00,EUR,visa 4242$/,
    )
    expect(lines.at(-1)).toContain(',Subscription 1,succeeded,19.00,4.00,')
  })

  it('comes in pieces: the first lines are there before the last are read', async () => {
    const response = await get('/api/payments/history?format=csv', ada)
    const sizes: number[] = []
    for await (const piece of response.body ?? []) sizes.push(piece.byteLength)

    expect(sizes.length).toBeGreaterThanOrEqual(3)
    expect(Math.max(...sizes)).toBeLessThan(sizes.reduce((sum, size) => sum + size, 0) * 0.6)
  })

  it('takes the same filter as the page, and holds no cell that a spreadsheet would run', async () => {
    const { text } = await csvOf(bob, { from: '2026-01-01', to: '2026-01-01' })

    expect(text.match(/'=HYPERLINK/g)).toHaveLength(3)
    expect(text).toContain(`,"'=HYPERLINK(""x""), ""quoted""\nline 3",`)
    expect(text).not.toMatch(/(^|,|")=/m)
  })
})

describe('a payment in the history', () => {
  it('tells its refunds and disputes to its owner, and shows both on its page and its receipt', async () => {
    const bought = await paid()
    const support = await newStaff('support')
    await refund(support, bought.paymentId, { amountMinor: 900, reason: 'requested_by_customer' })
    await adminSql()`
      insert into public.disputes (payment_id, livemode, stripe_dispute_id, status, amount_minor, currency)
      select ${bought.paymentId}, false, 'dp_' || s, s, 300, 'eur' from unnest(array['lost', 'warning_closed']) as s`
    const detail = async () =>
      (
        (await (await get(`/api/payments/${bought.paymentId}`, bought.person)).json()) as {
          payment: { refundedMinor: number; refunds: object[]; disputes: object[] }
        }
      ).payment
    await until(async () => (await detail()).refundedMinor === 900)

    const payment = await detail()
    const page = await (await get(`/payments/${bought.paymentId}`, bought.person)).text()
    const receipt = await get(`/payments/${bought.paymentId}/receipt`, bought.person)
    const strangers = await get(`/payments/${bought.paymentId}/receipt`, ada)
    const receiptText = await receipt.text()

    expect(payment.refunds).toEqual([expect.objectContaining({ amountMinor: 900, status: 'succeeded' })])
    expect(payment.disputes).toEqual([expect.objectContaining({ amountMinor: 300, status: 'lost' })])
    expect(page).toContain('Partly refunded')
    expect(page).toContain('Money went back')
    expect(receiptText).toContain('-€9.00')
    expect(receiptText).toContain('€15.00')
    expect(receiptText).toContain(referenceOf(bought.paymentId))
    expect(strangers.status).toBe(404)
  })
})
