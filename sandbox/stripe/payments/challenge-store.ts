import { randomText } from '../core/ids.ts'
import type { Store } from '../core/store.ts'

export type ChallengeState = 'open' | 'passed' | 'failed' | 'superseded'
export type StoredChallenge = {
  token: string
  state: ChallengeState
  /** Of a PaymentIntent or a SetupIntent; the id tells which. */
  intentId: string
  paymentMethod: string
  returnUrl: string | null
}

/** Ask the customer's bank. An intent has one open challenge at most. Returns the token that stands for it in a URL. */
export function openChallenge(
  store: Store,
  challenge: { intent: { id: string }; paymentMethod: string; returnUrl: string | null },
): string {
  const { intent, paymentMethod, returnUrl } = challenge
  supersedeChallenges(store, intent.id)
  const token = `tds_${randomText(40)}`
  store.db
    .prepare(
      "insert into challenges (token, payment_intent, payment_method, return_url, state, created) values (?, ?, ?, ?, 'open', ?)",
    )
    .run(token, intent.id, paymentMethod, returnUrl, store.clock.now())
  return token
}

/** It goes another way: an answer that still comes changes nothing. */
export function supersedeChallenges(store: Store, intentId: string): void {
  store.db
    .prepare("update challenges set state = 'superseded' where payment_intent = ? and state = 'open'")
    .run(intentId)
}

export function readChallenge(store: Store, token: string): StoredChallenge | null {
  const row = store.db.prepare('select * from challenges where token = ?').get(token)
  if (!row) return null
  return {
    token,
    state: String(row.state) as ChallengeState,
    intentId: String(row.payment_intent),
    paymentMethod: String(row.payment_method),
    returnUrl: row.return_url === null ? null : String(row.return_url),
  }
}

export function closeChallenge(store: Store, token: string, state: 'passed' | 'failed'): void {
  store.db.prepare('update challenges set state = ? where token = ?').run(state, token)
}
