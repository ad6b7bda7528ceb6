/** Why a key is not used, or null. The message holds nothing of the key. */
export function refusal(key: string): string | null {
  if (/^(sk|rk|pk)_live_/.test(key)) {
    return 'STRIPE_CONFORMANCE_KEY is a live key. Refused: the scenarios make payments. Roll the key if it was in a shared place.'
  }
  if (key.startsWith('sk_test_local_')) {
    return 'STRIPE_CONFORMANCE_KEY is a key of our own stand-in, which Stripe does not know.'
  }
  if (!/^sk_test_\w{10,}$/.test(key))
    return 'STRIPE_CONFORMANCE_KEY must be a secret test-mode key (sk_test_…).'
  return null
}
