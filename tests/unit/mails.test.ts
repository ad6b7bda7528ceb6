import { describe, expect, it } from 'vitest'
import { type MailKind, readFacts } from '@/lib/mails/facts'
import { renderMail } from '@/lib/mails/render'
import { wordsOf } from '@/lib/mails/words'

const ID = '7a0e8f10-0000-4000-8000-000000000001'
const money = { paymentId: ID, amountMinor: 123_400, currency: 'eur', reference: 'PW-ABCDEFGHJK' }
const PLAN = { name: 'Premium', path: '/subscriptions' }

/** An example of each kind, as others write it into the outbox. */
const EXAMPLES: Record<MailKind, object> = {
  receipt: money,
  refund: { ...money, reference: null },
  failed_payment: { paymentId: ID, orderId: ID, reference: null },
  action_needed: PLAN,
  grace_started: { ...PLAN, endsAt: '2026-11-27T10:30:00.123456+00:00' },
  card_expiring: { brand: 'Visa', last4: '4242', expMonth: 12, expYear: 2026, path: '/cards' },
  payment_request: { orderId: ID, reference: 'PW-ABCDEFGHJK', expiresAt: '2026-11-27T10:30:00+00:00' },
}

describe('mails', () => {
  it.each(Object.entries(EXAMPLES))(
    '%s: no amount in its subject, one link, and that to us',
    (kind, facts) => {
      const words = wordsOf(readFacts(kind, facts))

      const { subject, text, html } = renderMail(words, 'https://pay.example.com')

      expect(subject).not.toMatch(/[€$£¥]|\d[.,]\d\d|EUR|1234|1,234/)
      expect(subject).not.toMatch(/[\r\n]/)
      expect(text.match(/https?:\/\/\S+/g)).toEqual([
        expect.stringMatching(/^https:\/\/pay\.example\.com\/\w/),
      ])
      expect([...html.matchAll(/href="([^"]+)"/g)].map(([, href]) => href)).toEqual(
        text.match(/https:\/\/\S+/g),
      )
      expect(text + html).not.toMatch(/undefined|null|NaN|\[object/)
    },
  )

  it.each([
    'https://evil.example/x',
    '//evil.example',
    '/\\evil.example',
    '/',
    'javascript:x',
    '/..//evil.example',
  ])('a mail leads nowhere but to a page of ours: not to %s', (path) => {
    expect(() => readFacts('action_needed', { ...PLAN, path })).toThrow()
  })

  it('a name is text, whatever it looks like (H14)', () => {
    const name = '<img src=x onerror=alert(1)>"&'

    const { html } = renderMail(
      wordsOf(readFacts('grace_started', { ...EXAMPLES.grace_started, name })),
      'https://a.example',
    )

    expect(html).not.toContain('<img')
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&amp;')
  })
})
