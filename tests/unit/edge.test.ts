import { describe, expect, it } from 'vitest'
import { localPath } from '@/lib/auth/local-path'
import { addressKey, addressPrefix, clientAddress } from '@/lib/edge/client-address'
import { contentSecurityPolicy } from '@/lib/edge/csp'
import { isSecure } from '@/lib/edge/https'

const policyOf = (path: string, localStripeOrigin: string | null = null) =>
  contentSecurityPolicy({ path, nonce: 'n0nce', isHttps: true, isDevelopment: false, localStripeOrigin })

describe('the content security policy', () => {
  it('never allows inline or evaluated scripts in a production build', () => {
    for (const path of ['/', '/payments', '/checkout/1']) {
      const scripts = /script-src ([^;]*)/.exec(policyOf(path))?.[1] ?? ''

      expect(scripts).toContain("'nonce-n0nce' 'strict-dynamic'")
      expect(scripts).not.toMatch(/unsafe-(inline|eval)/)
    }
  })

  it('names Stripe only on pages that take cards', () => {
    expect(policyOf('/checkout/1')).toContain('https://js.stripe.com')
    expect(policyOf('/payments/checkout/')).not.toContain('stripe')
    expect(policyOf('/')).not.toContain('stripe')
  })

  it('names the local stand-in in place of Stripe, never beside it', () => {
    const policy = policyOf('/checkout/1', 'http://127.0.0.1:4010')

    expect(policy).toContain('frame-src http://127.0.0.1:4010')
    expect(policy).not.toContain('stripe.com')
  })
})

describe('the client address', () => {
  const headers = (forwarded: string) => new Headers({ 'x-forwarded-for': forwarded, 'x-real-ip': '6.6.6.6' })

  it('is unknown while no proxy is trusted, whatever the headers say', () => {
    expect(clientAddress(headers('1.2.3.4'), 0)).toBeNull()
  })

  it('is what the outermost trusted proxy saw, not what the client wrote before it', () => {
    expect(clientAddress(headers('9.9.9.9, 1.2.3.4'), 1)).toBe('1.2.3.4')
    expect(clientAddress(headers('9.9.9.9, 1.2.3.4, 10.0.0.1'), 2)).toBe('1.2.3.4')
    expect(clientAddress(headers('junk" onload='), 1)).toBeNull()
    expect(clientAddress(headers('1.2.3.4'), 3)).toBeNull()
  })

  it('counts an IPv6 network as one', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
    expect(addressKey('2001:db8:1:2::9')).toBe('2001:db8:1:2::/64')
    expect(addressKey('2001:DB8::1')).toBe('2001:db8:0:0::/64')
    expect(addressKey('::ffff:1.2.3.4')).toBe('1.2.3.4')
  })

  it('counts abuse by the /24 of an IPv4 address and the /64 of an IPv6 one', () => {
    expect(addressPrefix('198.51.100.7')).toBe('198.51.100.0/24')
    expect(addressPrefix('::ffff:198.51.100.9')).toBe('198.51.100.0/24')
    expect(addressPrefix('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
  })
})

describe('https', () => {
  const settings = { isHttps: true, appOrigin: 'https://pay.example.com', trustedProxyHops: 1 }

  it('is believed from the nearest proxy only', () => {
    expect(isSecure(new Headers({ 'x-forwarded-proto': 'https' }), settings)).toBe(true)
    expect(isSecure(new Headers({ 'x-forwarded-proto': 'https, http' }), settings)).toBe(false)
    expect(isSecure(new Headers({ 'x-forwarded-proto': 'http' }), settings)).toBe(false)
    expect(isSecure(new Headers(), settings)).toBe(false)
  })

  it('is what the outermost of several proxies saw', () => {
    const two = { ...settings, trustedProxyHops: 2 }

    expect(isSecure(new Headers({ 'x-forwarded-proto': 'https, http' }), two)).toBe(true)
    expect(isSecure(new Headers({ 'x-forwarded-proto': 'https' }), two)).toBe(true)
    expect(isSecure(new Headers({ 'x-forwarded-proto': 'https, http, http' }), two)).toBe(false)
  })
})

describe('where sign-in leads', () => {
  it('is a path on this site', () => {
    expect(localPath('/orders/1?a=b')).toBe('/orders/1?a=b')
  })

  it.each([
    '//evil.example',
    '/\\evil.example',
    '\\evil',
    'https:evil.example',
    'https://evil.example',
    '/\t/evil.example',
    '',
    '/a\\b',
    'javascript:alert(1)',
  ])('is never another site: %j', (path) => {
    expect(localPath(path)).toBe('/')
  })

  it('survives encoded tricks as a path', () => {
    expect(localPath('/%2F%2Fevil.example')).toBe('/%2F%2Fevil.example')
    expect(localPath('/..//evil.example')).toMatch(/^\/(?!\/)/)
  })
})
