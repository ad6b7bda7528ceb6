// What a secret looks like. Kept apart from the scan so that the tests can hold bait against it.

export type SecretPattern = { name: string; pattern: RegExp; allowed?: RegExp }

/** Each pattern has the flag g. What `allowed` matches as a whole is no secret. */
export const SECRET_PATTERNS: readonly SecretPattern[] = [
  {
    name: 'Stripe secret or restricted key',
    pattern: /\b(?:sk|rk)_(?:test|live)_[A-Za-z0-9_]{16,}/g,
    // The local Stripe's own keys, good for nothing else, and two that count up or stand still: nobody's.
    allowed: /^sk_test_(?:local_\w{8,25}|0{26}|0123456789abcdef)$/,
  },
  { name: 'Stripe webhook secret', pattern: /\bwhsec_[A-Za-z0-9+/=]{24,}/g },
  { name: 'Supabase secret key', pattern: /\bsb_secret_[A-Za-z0-9_-]{20,}/g },
  { name: 'Supabase access token', pattern: /\bsbp_(?:oauth_)?[0-9a-f]{40}\b/g },
  // Base64 of a record that begins with its version and flags: two shapes are in use.
  { name: 'Upstash token', pattern: /\b(?:A[A-Za-z0-9]{3}AAI[A-Za-z0-9]|gQAAAAAA)[A-Za-z0-9_-]{28,}={0,2}/g },
  {
    name: 'Redis address with a password',
    pattern: /\brediss?:\/\/[^\s:@/]*:[^\s@]{8,}@[\w.-]+\.[a-z]{2,}/g,
  },
  {
    name: 'database address with a password',
    pattern: /\bpostgres(?:ql)?:\/\/[^\s:@/'"`]+:[^\s@'"`$<>{}]{6,}@[\w.-]+/g,
    // Documentation and tests name hosts that are nobody's, and this machine.
    allowed: /@(?:localhost|127\.0\.0\.1|(?:[\w-]+\.)*example(?:\.com|\.test))$/,
  },
  { name: 'JSON Web Token', pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}/g },
  { name: 'private key', pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*(?:\\n)?[A-Za-z0-9+/=]{16,}/g },
  { name: 'private JSON Web Key', pattern: /["']?\bd["']?\s*:\s*["'][A-Za-z0-9_-]{43,}["']/g },
  { name: 'GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})/g },
  { name: 'npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: 'AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    name: 'secret setting with a value',
    pattern:
      /^\s*(?:export\s+)?(?:CRON_SECRET|UPSTASH_REDIS_REST_TOKEN|STRIPE_SECRET_KEY|STRIPE_WEBHOOK_SECRET)(?:_PREVIOUS)?=[^\s#]{16,}/gm,
  },
]

export type SecretFinding = { name: string; line: number }

/** What of a text looks like a secret: the kind and the line, never the text itself. */
export function secretsIn(text: string): SecretFinding[] {
  return SECRET_PATTERNS.flatMap(({ name, pattern, allowed }) =>
    [...text.matchAll(pattern)]
      .filter(([found]) => !allowed?.test(found))
      .map(({ index }) => ({ name, line: text.slice(0, index).split('\n').length })),
  )
}
