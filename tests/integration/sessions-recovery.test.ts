import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { sendForm } from '../support/forms'
import { newOrder } from '../support/payment-rows'
import { mailedToken, mailedTokens, mailsTo, newPassword, newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import { cookieAfter, issuedMinutesAgo, signIn, withToken } from '../support/sessions'
import { stack } from '../support/stack-in-test'

const { mailboxUrl, serverUrls } = stack()

async function recoveryLink({ email }: Person): Promise<string> {
  const before = await mailedTokens(mailboxUrl, email, 'recovery')
  await sendForm('/forgotten-password', { email })
  return await mailedToken(mailboxUrl, email, 'recovery', before)
}

const follow = (tokenHash: string) =>
  sendForm(`/auth/confirm?token_hash=${tokenHash}&type=recovery`, { tokenHash, type: 'recovery' })

/** What uses the link up. */
const BUTTON = /<button[^>]*><span>Choose a new password</

const setPassword = (password: string, cookie: string) => sendForm('/new-password', { password }, { cookie })

it('a recovery link works once, ends every other session and the old password, and a mail says so (A9)', async () => {
  const person = await newPerson()
  const elsewhere = { ...person, cookie: cookieAfter(await signIn(person)) }
  const token = await recoveryLink(person)

  const opened = await fetch(`${serverUrls[0]}/auth/confirm?token_hash=${token}&type=recovery`)
  const followed = await follow(token)
  const again = await follow(token)
  const password = newPassword()
  const saved = await setPassword(password, cookieAfter(followed))

  expect(opened.headers.getSetCookie()).toEqual([])
  const page = await opened.text()
  expect(page).toMatch(BUTTON)
  expect(page).toContain('<meta name="referrer" content="no-referrer"/>')
  expect(followed.headers.get('location')).toContain('/new-password')
  expect(cookieAfter(again)).toBe('')
  const refused = await again.text()
  expect(refused).toContain('This link has expired')
  expect(refused, 'no button that cannot help').not.toMatch(BUTTON)
  expect(saved.headers.get('location')).toContain('/payments')
  const orderId = await newOrder(person.id)
  for (const old of [person, elsewhere]) expect((await startPayment(old, orderId)).status).toBe(401)
  expect((await startPayment({ ...person, cookie: cookieAfter(followed) }, orderId)).status).toBe(201)
  expect((await signIn(person)).status).toBe(401)
  expect((await signIn({ ...person, password })).status).toBe(200)
  const [newest] = await mailsTo(mailboxUrl, person.email)
  expect(newest?.subject).toBe('Your password was changed')
  expect(newest?.text).toContain('/forgotten-password')
})

it('a link is too old after an hour, and only the newest works (A9)', async () => {
  const person = await newPerson()
  const older = await recoveryLink(person)
  await adminSql()`update auth.users set recovery_token = null where id = ${person.id}`
  const old = await recoveryLink(person)
  await adminSql()`update auth.users set recovery_sent_at = now() - interval '61 minutes' where id = ${person.id}`

  expect(older).not.toBe(old)
  for (const token of [older, old, 'f'.repeat(64)])
    expect(await (await follow(token)).text()).toContain('This link has expired')
})

it('a new password needs a link followed in the last quarter of an hour: a session alone does not do (A9)', async () => {
  const person = await newPerson()
  const byPassword = cookieAfter(await signIn(person))
  const followed = { ...person, cookie: cookieAfter(await follow(await recoveryLink(person))) }
  const late = await withToken(followed, {
    amr: [{ method: 'otp', timestamp: Math.floor(Date.now() / 1000) - 16 * 60 }],
  })

  for (const cookie of [byPassword, late]) {
    const answer = await setPassword(newPassword(), cookie)
    expect(answer.headers.get('location')).toBeNull()
    expect(await answer.text()).toContain('This link has expired')
  }
  expect((await signIn(person)).status).toBe(200)
})

it('a common password, or one of eleven characters, is refused where it is chosen (A10)', async () => {
  const person = await newPerson()
  const cookie = cookieAfter(await follow(await recoveryLink(person)))

  for (const password of ['Password2026!', 'elevenchars', `${person.email.split('@')[0]}!1`]) {
    const saved = await setPassword(password, cookie)
    expect(saved.headers.get('location'), password).toBeNull()
    const signedUp = await sendForm('/sign-up', { email: person.email, password })
    expect(signedUp.headers.get('location'), password).toBeNull()
  }
})

it('a password of 64 characters is taken exactly as typed: blanks, capitals and foreign letters count (A10)', async () => {
  const person = await newPerson()
  const cookie = cookieAfter(await follow(await recoveryLink(person)))
  const password = ` Ünder ${'A'.repeat(3)} ${randomUUID()} ${'z'.repeat(14)} `.padEnd(64, ' ')

  const saved = await setPassword(password, cookie)

  const signInWith = async (tried: string) => (await signIn({ email: person.email, password: tried })).status
  expect([...password]).toHaveLength(64)
  expect(saved.status).toBe(303)
  expect(await signInWith(password.trim())).toBe(401)
  expect(await signInWith(password.toLowerCase())).toBe(401)
  expect(await signInWith(password.normalize('NFD'))).toBe(401)
  expect(await signInWith(password)).toBe(200)
})

it('every password field hides what is typed, takes what is pasted and names itself to password managers (A10)', async () => {
  const { cookie } = await newPerson()
  const fields: Record<string, string> = {}
  for (const path of ['/sign-in', '/sign-up', '/new-password', '/confirm-password']) {
    const response = await fetch(`${serverUrls[0]}${path}`, { headers: { cookie } })
    const html = await response.text()
    const field = /<input\b[^>]*type="password"[^>]*>/.exec(html)?.[0] ?? ''
    fields[path] = /autocomplete="([^"]*)"/i.exec(field)?.[1] ?? ''
    expect(html.match(/<input\b[^>]*name="password"[^>]*>/g), path).toEqual([field])
    expect(field, path).not.toMatch(/maxlength|onpaste|pattern/i)
    if (path === '/confirm-password') expect(html).toContain('autoComplete="username"')
  }

  expect(fields).toEqual({
    '/sign-in': 'current-password',
    '/sign-up': 'new-password',
    '/new-password': 'new-password',
    '/confirm-password': 'current-password',
  })
})

it('confirming the password makes an old sign-in a recent one, in a session of its own (Z21)', async () => {
  const person = await newPerson()
  const old = await withToken(person, {
    ...issuedMinutesAgo(1),
    amr: [{ method: 'password', timestamp: Math.floor(Date.now() / 1000) - 11 * 60 }],
  })

  const confirmed = cookieAfter(await signIn(person, { cookie: old }))

  const { amr } = decodeJwt<{ amr: { method: string; timestamp: number }[] }>(
    JSON.parse(Buffer.from(confirmed.slice('session=base64-'.length), 'base64url').toString()).access_token,
  )
  expect(amr).toEqual([{ method: 'password', timestamp: expect.any(Number) }])
  expect(Date.now() / 1000 - (amr[0]?.timestamp ?? 0)).toBeLessThan(60)
})
