import { readFileSync } from 'node:fs'
import { get as ask } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { manyPayments } from '../support/history-rows'
import { until } from '../support/paid'
import { newPerson, type Person } from '../support/people'
import { get } from '../support/requests'
import { stack } from '../support/stack-in-test'

const { env, localSecret, logFile, serverUrls } = stack()
const EXPORT = '/api/payments/history?format=csv'

async function supabaseIs(mode: 'none' | '503'): Promise<void> {
  const answer = await fetch(`${env.SUPABASE_URL}/_local/fault`, {
    method: 'POST',
    headers: { authorization: `Bearer ${localSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ mode }),
  })
  expect(answer.status).toBe(200)
}

const hour = () => Math.floor(Date.now() / 3_600_000)

/** Twenty-one exports by somebody new, over both servers. */
async function manyExports(): Promise<Response[]> {
  const person = await newPerson()
  const answers: Response[] = []
  for (let n = 0; n < 21; n++) answers.push(await get(EXPORT, person, { server: serverUrls[n % 2] }))
  return answers
}

type Read = { status: number | undefined; text: string; end: string }

/** What came of an export, and whether it came to its end. fetch forgets what it has not unpacked when no more comes. */
function readUntilItEnds(person: Person): Promise<Read> {
  return new Promise((resolve, reject) => {
    const request = ask(`${serverUrls[0]}${EXPORT}`, { headers: { cookie: person.cookie } }, (response) => {
      let text = ''
      const isOver = (end: string) => resolve({ status: response.statusCode, text, end })
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => isOver('whole'))
      response.on('error', (error) => isOver(error.message))
    })
    request.on('error', reject)
  })
}

describe('a history as CSV', () => {
  afterEach(() => supabaseIs('none'))

  it('is taken twenty times an hour over all servers, and then says when to come back [F7]', async () => {
    const began = hour()
    let answers = await manyExports()
    if (hour() !== began) answers = await manyExports()

    const last = answers.pop()
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(last?.status).toBe(429)
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(last?.headers.get('retry-after'))).toBeLessThanOrEqual(3600)
    expect(await last?.json()).toMatchObject({ error: { code: 'too_many_requests' } })
  })

  it('is a 503 and no file while the database is away before its first line', async () => {
    const person = await newPerson()
    expect((await readUntilItEnds(person)).end).toBe('whole')
    await supabaseIs('503')

    const answer = await get(EXPORT, person)

    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.headers.get('content-disposition')).toBeNull()
    expect(await answer.json()).toMatchObject({ error: { code: 'unavailable' } })
  })

  it('breaks off when a later page cannot be read: half of it does not look like all of it', async () => {
    const person = await newPerson()
    await manyPayments({ userId: person.id, howMany: 700 })
    // On the second page, a number that does not fit into ours.
    await adminSql()`update public.payments p set amount_received_minor = 9007199254740993 from public.customers c
      where c.id = p.customer_id and c.user_id = ${person.id} and p.description = 'Subscription 100'`

    const { status, text, end } = await readUntilItEnds(person)

    expect([status, end]).toEqual([200, 'aborted'])
    expect(text).toContain('Subscription 700')
    expect(text).not.toContain('Subscription 100')
    // Another process writes down what the server has said.
    await until(async () => readFileSync(logFile, 'utf8').includes('"event":"export_failed"'))
  })
})
