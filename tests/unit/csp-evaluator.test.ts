import { describe, expect, it } from 'vitest'
import { contentSecurityPolicy } from '@/lib/edge/csp'
import { cspFindings } from '../../scripts/judge/csp-findings.ts'

const inProduction = (path: string) =>
  contentSecurityPolicy({
    path,
    nonce: btoa(crypto.randomUUID()),
    isHttps: true,
    isDevelopment: false,
    localStripeOrigin: null,
  })

describe('the Content-Security-Policy, judged by csp_evaluator', () => {
  it('has no finding of severity 60 or worse, with Stripe’s hosts or without [H1]', () => {
    for (const path of ['/', '/sign-in', '/payments', '/checkout/an-order'])
      expect(cspFindings(inProduction(path)), path).toEqual([])
  })

  it.each([
    ['script-src', "'unsafe-eval'"],
    ['object-src', '*'],
    ['base-uri', '*'],
  ])('would have one with %s %s [H1]', (directive, value) => {
    const policy = inProduction('/').replace(
      new RegExp(`${directive} [^;]+`),
      (all) => `${all.replace(" 'none'", '')} ${value}`,
    )

    expect(cspFindings(policy).length).toBeGreaterThan(0)
  })
})
