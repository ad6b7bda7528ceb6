import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  client,
  setFault,
  setting,
  signUpPerson,
  startTestSandbox,
  type TestSandbox,
} from '../support/test-sandbox.ts'

let sandbox: TestSandbox

beforeAll(async () => {
  sandbox = await startTestSandbox()
  await sandbox.admin.unsafe(`
    create table public.canary_notes (id int primary key, owner uuid references auth.users (id), body text);
    insert into public.canary_notes values (1, null, 'for nobody');
    alter table public.canary_notes enable row level security;
    revoke all on public.canary_notes from anon, authenticated, service_role;

    create table public.canary_own (id bigint primary key, owner uuid, amount bigint, secret text);
    alter table public.canary_own enable row level security;
    revoke all on public.canary_own from anon, authenticated;
    grant select (id, owner, amount) on public.canary_own to authenticated;
    create policy own on public.canary_own for select to authenticated using (owner = (select auth.uid()));

    create schema hidden;
    create table hidden.canary_hidden (id int);
    grant usage on schema hidden to anon, authenticated;
    grant all on hidden.canary_hidden to anon, authenticated;

    create function public.canary_json(value jsonb) returns jsonb language sql as 'select value';
    create function public.canary_json_kind(value jsonb) returns text language sql as 'select jsonb_typeof(value)';
    create function public.canary_me() returns jsonb language sql as $$
      select jsonb_build_object('uid', auth.uid(), 'role', auth.role(), 'email', auth.email(), 'db', current_user,
        'jwt', auth.jwt())
    $$;
    grant execute on function public.canary_json, public.canary_json_kind, public.canary_me to anon, authenticated;
  `)
  // The REST side hears of new tables a moment later, as on hosted.
  await vi.waitFor(async () => expect((await client(sandbox).rpc('canary_me')).error).toBeNull(), 20_000)
})

afterAll(() => sandbox?.close())

const rest = (path: string) => `${setting(sandbox, 'SUPABASE_URL')}/rest/v1${path}`

describe('grants', () => {
  it('the REST front never grants tables to anon, authenticated or service_role on its own', async () => {
    const { supabase } = await signUpPerson(sandbox)

    const asAnon = await client(sandbox).from('canary_notes').select()
    const asUser = await supabase.from('canary_notes').select()
    const asService = await client(sandbox, sandbox.supabaseSecretKey).from('canary_notes').select()
    await supabase.from('canary_notes').insert({ id: 2, body: 'mine' })

    expect(asAnon.error?.code).toBe('42501')
    expect(asUser.error?.code).toBe('42501')
    expect(asService.error?.code).toBe('42501')
    const granted = await sandbox.admin`
      select role, privilege
      from unnest(array['anon', 'authenticated', 'service_role']) role,
        unnest(array['select', 'insert', 'update', 'delete']) privilege
      where has_table_privilege(role, 'public.canary_notes', privilege)`
    expect([...granted]).toEqual([])
    const [{ count } = { count: null }] = await sandbox.admin`select count(*)::int as count from canary_notes`
    expect(count).toBe(1)
  })

  it('column grants and policies hold: own rows, named columns, nothing else', async () => {
    const ada = await signUpPerson(sandbox)
    const bob = await signUpPerson(sandbox)
    await sandbox.admin`insert into canary_own values (1, ${ada.user.id}, 9007199254740991, 'x'), (2, ${bob.user.id}, 5, 'y')`

    const mine = await ada.supabase.from('canary_own').select('id, amount')
    const secret = await ada.supabase.from('canary_own').select('secret')
    const anonymous = await client(sandbox).from('canary_own').select('id')

    expect(mine.data).toEqual([{ id: 1, amount: 9007199254740991 }])
    expect(secret.error?.code).toBe('42501')
    expect(anonymous.error?.code).toBe('42501')
    expect(anonymous.status).toBe(401)
    expect(secret.status).toBe(403)
  })

  it('schemas other than public are not exposed', async () => {
    const { error, status } = await client(sandbox).schema('hidden').from('canary_hidden').select()

    expect(status).toBe(406)
    expect(error?.code).toBe('PGRST106')
  })
})

describe('functions', () => {
  it('a session is what auth.uid(), auth.role(), auth.email() and auth.jwt() say', async () => {
    const { supabase, user, email } = await signUpPerson(sandbox)

    const { data } = await supabase.rpc('canary_me')
    const { data: nobody } = await client(sandbox).rpc('canary_me')

    expect(data).toMatchObject({ uid: user.id, role: 'authenticated', email, db: 'authenticated' })
    expect(data.jwt).toMatchObject({ sub: user.id, aal: 'aal1', aud: 'authenticated' })
    expect(nobody).toMatchObject({ uid: null, role: 'anon', db: 'anon' })
  })

  it.each([
    ['an object', { a: { b: [1, 'two', null, true] } }, 'object'],
    ['a list', [1, { a: 'b' }, [2]], 'array'],
    ['an empty list', [], 'array'],
    ['a text', 'plain', 'string'],
    ['a text that looks like JSON', '{"a":1}', 'string'],
    ['a number', 12.5, 'number'],
    ['a boolean', false, 'boolean'],
  ])('a jsonb argument arrives as it was sent: %s', async (_, value, kind) => {
    const supabase = client(sandbox)

    const same = await supabase.rpc('canary_json', { value })
    const seen = await supabase.rpc('canary_json_kind', { value })

    expect(same.error).toBeNull()
    expect(same.data).toEqual(value)
    expect(seen.data).toBe(kind)
  })
})

describe('keys and tokens', () => {
  it('a missing or unknown key is refused', async () => {
    const missing = await fetch(rest('/canary_notes'))
    const unknown = await fetch(rest('/canary_notes'), { headers: { apikey: 'sb_publishable_wrong' } })

    expect([missing.status, unknown.status]).toEqual([401, 401])
  })

  it('expired, forged, unsigned and misdirected tokens are refused, not taken for anonymous', async () => {
    const { session, user } = await signUpPerson(sandbox)
    const claims = { sub: user.id, role: 'authenticated' }
    const guessed = new TextEncoder().encode('super-secret-jwt-token-with-at-least-32-characters-long')
    const hs256 = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .setAudience('authenticated')
      .sign(guessed)
    const [head, payload, signature] = session.access_token.split('.')
    const edited = Buffer.from(
      JSON.stringify({
        ...JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()),
        role: 'service_role',
      }),
    ).toString('base64url')
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
    const forged = [hs256, `${head}.${edited}.${signature}`, unsigned, `${head}.${payload}.AAAA`, 'garbage']

    const codes = await Promise.all(forged.map((token) => call(token)))

    expect(codes).toEqual(forged.map(() => [401, 'PGRST301']))
    expect(await call(session.access_token)).toEqual([200, undefined])
  })

  async function call(token: string) {
    const response = await fetch(rest('/rpc/canary_me'), {
      method: 'POST',
      headers: {
        apikey: setting(sandbox, 'SUPABASE_PUBLISHABLE_KEY'),
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
      },
      body: '{}',
    })
    return [response.status, ((await response.json()) as { code?: string }).code]
  }
})

describe('faults', () => {
  it('503, reset and hang can be switched on and off, with the secret only', async () => {
    const url = setting(sandbox, 'SUPABASE_URL')
    const supabase = client(sandbox)

    await setFault(sandbox, url, '503')
    const away = await supabase.rpc('canary_me').retry(false)
    await setFault(sandbox, url, 'reset')
    const cut = await supabase.rpc('canary_me').retry(false)
    await setFault(sandbox, url, 'hang')
    const silent = await supabase.rpc('canary_me').retry(false).abortSignal(AbortSignal.timeout(200))
    await setFault(sandbox, url, 'none')
    const back = await supabase.rpc('canary_me')
    const stranger = await fetch(`${url}/_local/fault`, { method: 'POST', body: '{"mode":"503"}' })

    expect(away.status).toBe(503)
    expect(away.error?.code).toBe('PGRST002')
    expect(cut.error?.message).toMatch(/fetch failed/)
    expect(silent.error?.message).toMatch(/abort|timeout/i)
    expect(back.error).toBeNull()
    expect(stranger.status).toBe(401)
  })
})
