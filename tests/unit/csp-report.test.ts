import { describe, expect, it, vi } from 'vitest'
import { readViolations } from '@/lib/csp-report'

vi.mock('@/lib/env', () => ({ env: () => ({ appOrigin: 'https://shop.test' }) }))

const report = (documentURL: string, blockedURL = 'inline', effectiveDirective = 'script-src') =>
  readViolations([{ type: 'csp-violation', body: { effectiveDirective, blockedURL, documentURL } }])

describe('what is kept of a report of a broken policy', () => {
  it.each([
    ['https://shop.test/', '/'],
    ['https://shop.test/orders/canary', '/orders/[orderId]'],
    ['https://shop.test/auth/confirm?token_hash=canary', '/auth/confirm'],
    ['https://shop.test/canary', 'elsewhere'],
    ['https://evil.test/orders/canary', 'elsewhere'],
    ['canary', 'elsewhere'],
  ])('of the page %s is which of ours it is, not its address (L1)', (page, route) => {
    expect(report(page)).toEqual([{ kind: 'script-src', source: 'inline', route }])
  })

  it('of what was kept out is its origin (L1)', () => {
    const blocked = 'https://canary:canary@evil.test/canary?canary#canary'

    expect(report('https://shop.test/', blocked)).toMatchObject([{ source: 'https://evil.test' }])
  })
})
