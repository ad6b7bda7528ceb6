import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { undone, within } from '../support/audit'
import { adminSql, callService } from '../support/db'
import { newStaff, paid } from '../support/paid'
import { newUserRow } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { get, post, refund } from '../support/requests'
import { stack } from '../support/stack-in-test'
import {
  auditOf,
  putLimit,
  REASON,
  replay,
  setRole,
  setSwitch,
  signedInBefore,
  type Voices,
  voices,
} from '../support/staff'

const [first, second] = stack().serverUrls as [string, string]

let staff: Voices
beforeAll(async () => {
  staff = await voices()
})

const NO_ID = randomUUID()
const keyInput = { name: 'a-shop', scopes: ['orders:read'], reason: REASON }
const refundInput = { reason: 'requested_by_customer' }

/** Every address for staff, asked for something that is not there where it would change something. */
const ADDRESSES: [string, (by: Person | null) => Promise<Response>, Partial<Record<keyof Voices, number>>][] =
  [
    [
      'GET /api/admin/events',
      (by) => get('/api/admin/events', by),
      { support: 200, auditor: 200, admin: 200 },
    ],
    [
      'GET /api/admin/switches',
      (by) => get('/api/admin/switches', by),
      { support: 200, auditor: 200, admin: 200 },
    ],
    ['GET /api/admin/staff', (by) => get('/api/admin/staff', by), { auditor: 200, admin: 200 }],
    ['GET /api/admin/api-keys', (by) => get('/api/admin/api-keys', by), { auditor: 200, admin: 200 }],
    ['POST /api/admin/replays', (by) => replay(by, { eventId: 'evt_never' }), { support: 404, admin: 404 }],
    ['PUT /api/admin/switches/[name]', (by) => setSwitch(by, 'refunds', true), { admin: 200 }],
    [
      'GET /api/admin/payment-limits',
      (by) => get('/api/admin/payment-limits', by),
      { support: 200, auditor: 200, admin: 200 },
    ],
    [
      'PUT /api/admin/payment-limits/[rule]',
      (by) => putLimit(by, 'amount_max', { value: 1, version: 9999 }),
      { admin: 409 },
    ],
    ['PUT /api/admin/staff/[userId]', (by) => setRole(by, NO_ID, 'support'), { admin: 404 }],
    [
      'POST /api/admin/api-keys',
      (by) => post('/api/admin/api-keys', by, { ...keyInput, reason: 'no' }),
      { admin: 400 },
    ],
    [
      'POST /api/admin/api-keys/[id]/revocation',
      (by) => post(`/api/admin/api-keys/${NO_ID}/revocation`, by, { reason: REASON }),
      { admin: 404 },
    ],
    ['POST /api/payments/[id]/refunds', (by) => refund(by, NO_ID, refundInput), { support: 404, admin: 404 }],
  ]
const ACTIONS = ADDRESSES.filter(([name]) => !name.startsWith('GET'))

describe('what each role may do', () => {
  it.each(ADDRESSES)('%s answers those it is for, and nobody else', async (_name, ask, allowed) => {
    const answers = {
      nobody: (await ask(null)).status,
      customer: (await ask(staff.customer)).status,
      support: (await ask(staff.support)).status,
      auditor: (await ask(staff.auditor)).status,
      admin: (await ask(staff.admin)).status,
    }

    expect(answers).toEqual({
      nobody: 401,
      customer: 403,
      support: 403,
      auditor: 403,
      admin: 403,
      ...allowed,
    })
  })

  it('is checked again by every function of the database that acts for staff', async () => {
    const range = { p_from: '2001-01-01', p_until: '2001-01-02', p_status: 'parked', p_type: null }
    const common = { p_livemode: false, p_reason: REASON }
    const page = { p_status: null, p_type: null, p_after_at: null, p_after_id: null, p_limit: 1 }
    const CALLS: Record<string, [Record<string, unknown>, (keyof Voices)[]]> = {
      list_staff: [{}, ['auditor', 'admin']],
      set_staff_role: [{ p_user_id: NO_ID, p_role: null, p_reason: REASON }, ['admin']],
      payment_limits: [{}, ['support', 'auditor', 'admin']],
      change_payment_limit: [
        {
          p_rule: 'none',
          p_currency: '*',
          p_value: 1,
          p_window_seconds: null,
          p_countries: null,
          p_version: 0,
          p_reason: REASON,
        },
        ['admin'],
      ],
      switches: [{}, ['support', 'auditor', 'admin']],
      set_switch: [{ p_name: 'payments', p_on: true, p_reason: REASON }, ['admin']],
      inbox_events: [page, ['support', 'auditor', 'admin']],
      replay_event: [{ ...common, p_event_id: 'evt_never' }, ['support', 'admin']],
      replay_events: [{ ...common, ...range }, ['admin']],
      list_api_keys: [{}, ['auditor', 'admin']],
      create_api_key: [
        {
          ...common,
          p_name: '',
          p_prefix: '',
          p_key_hash: '00',
          p_scopes: [],
          p_expires_at: null,
        },
        ['admin'],
      ],
      revoke_api_key: [{ p_api_key_id: NO_ID, p_reason: REASON }, ['admin']],
      create_payment_request: [
        {
          ...common,
          p_customer_id: NO_ID,
          p_email: null,
          p_lines: [],
          p_days: 1,
          p_key: 'k',
          p_input_hash: 'h',
        },
        ['support', 'admin'],
      ],
      payment_requests: [{ p_livemode: false, p_before: null, p_limit: 1 }, ['support', 'auditor', 'admin']],
      cancel_payment_request: [{ ...common, p_order_id: NO_ID }, ['support', 'admin']],
      request_refund: [
        {
          p_payment_id: NO_ID,
          p_amount_minor: null,
          p_reason: 'duplicate',
          p_note: '',
          p_key: 'k',
          p_input_hash: 'h',
        },
        ['support', 'admin'],
      ],
    }
    const outcome = (name: string, args: object, by: Person) =>
      callService(name, { p_actor: by.id, ...args }).then(
        () => 'allowed',
        (error: { code: string }) => (error.code === '42501' ? 'refused' : 'allowed'),
      )

    const found = await adminSql()`
      select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'service' and p.prosrc ~ 'require_staff|private\\.staff' and p.proname <> 'staff_role' order by 1`
    expect(found.map(({ name }) => name)).toEqual(Object.keys(CALLS).toSorted())
    for (const [name, [args, roles]] of Object.entries(CALLS)) {
      for (const role of Object.keys(staff) as (keyof Voices)[]) {
        expect(await outcome(name, args, staff[role]), `${name} as ${role}`).toBe(
          roles.includes(role) ? 'allowed' : 'refused',
        )
      }
    }
  })

  it('cannot be had by what a person says of themselves (Z11)', async () => {
    const person = await newPerson()
    await adminSql()`update auth.users set raw_user_meta_data = '{"role": "admin", "staff": true}' where id = ${person.id}`

    expect((await get('/api/admin/events', person)).status).toBe(403)
  })
})

describe('a role that is taken away', () => {
  it('is gone for the next request on both servers, with the old session (Z20)', async () => {
    const member = await newStaff('support')
    const { paymentId } = await paid()
    const before = await get('/api/admin/events', member, { server: second })

    const taken = await setRole(staff.admin, member.id, null, { server: first })

    const after = await Promise.all([
      get('/api/admin/events', member, { server: second }),
      get('/api/admin/events', member, { server: first }),
      replay(member, { eventId: 'evt_never' }, { server: second }),
      refund(member, paymentId, refundInput, { server: second }),
    ])
    expect([before.status, taken.status]).toEqual([200, 200])
    expect(after.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    expect(await auditOf(staff.admin, 'staff.role_changed')).toMatchObject([
      { subject_id: member.id, detail: { from: 'support', to: null, reason: REASON } },
    ])
  })

  it('is given back, changed, and listed; a repeat leaves no second row', async () => {
    const userId = await newUserRow()
    const admin = await newStaff('admin')

    for (const role of ['auditor', 'auditor', 'support']) await setRole(admin, userId, role)
    const { staff: members } = (await (await get('/api/admin/staff', admin)).json()) as {
      staff: { userId: string; role: string }[]
    }

    expect(members.find((member) => member.userId === userId)?.role).toBe('support')
    expect((await auditOf(admin, 'staff.role_changed')).map(({ detail }) => detail.to)).toEqual([
      'auditor',
      'support',
    ])
  })

  it('is never that of the last admin, also when two admins go for each other', async () => {
    const outcome = await undone(async (sql) => {
      await sql`update private.staff set role = 'support' where role = 'admin' and user_id <> ${staff.admin.id}`
      return await within(sql)('set_staff_role', {
        p_actor: staff.admin.id,
        p_user_id: staff.admin.id,
        p_role: null,
        p_reason: REASON,
      }).catch((error: { code: string }) => error.code)
    })

    expect(outcome).toBe('55000')
  })
})

describe('what staff do', () => {
  it.each(ACTIONS)('%s wants the password of the last minutes (Z21)', async (_name, ask) => {
    const member = await signedInBefore(await newStaff('admin'), 11)

    const response = await ask(member)

    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { code: 'confirm_password' } })
  })

  it('may be looked at with an older sign-in, and done with one of nine minutes ago', async () => {
    const old = await signedInBefore(await newStaff('admin'), 11)
    const younger = await signedInBefore(await newStaff('admin'), 9)

    expect((await get('/api/admin/switches', old)).status).toBe(200)
    expect((await setSwitch(younger, 'refunds', true)).status).toBe(200)
  })

  it('wants a reason and our own pages, and leaves a row of who read what (Z21)', async () => {
    const admin = await newStaff('admin')
    const bodies = [{ on: false }, { on: false, reason: 'why' }, { on: false, reason: 'x'.repeat(501) }]

    const answers = await Promise.all(
      bodies.map((body) => post('/api/admin/switches/payments', admin, body, { method: 'PUT' })),
    )
    const foreign = await setSwitch(admin, 'payments', false, { headers: { origin: 'https://evil.example' } })
    await get('/api/admin/switches', admin)

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400])
    expect(foreign.status).toBe(403)
    expect(await auditOf(admin, 'switch.off')).toEqual([])
    expect(await auditOf(admin, 'switches.read')).toHaveLength(1)
  })
})
