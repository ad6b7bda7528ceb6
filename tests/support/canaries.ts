import { randomUUID } from 'node:crypto'

/** In everything below that is made up: nothing else in a log or a database can hold it, no id and no hash (they have no z). */
export const MARK = `z${randomUUID().slice(0, 8)}`

/** One of each kind of what must stay where it was typed. */
export const CANARY = {
  card: '4000056655665556',
  cvc: `cvc${MARK}`,
  secretKey: `sk_test_51canary${MARK}`,
  restrictedKey: `rk_live_canary${MARK}`,
  webhookSecret: `whsec_canary${MARK}`,
  supabaseSecret: `sb_secret_canary${MARK}`,
  token: `eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiIx${MARK}In0.c2lnbmF0dXJl`,
  cookie: `cookiecanary${MARK}`,
  password: `Passwordcanary${MARK}`,
  mail: `canary.${MARK}@example.test`,
  name: `Zaphod Canary${MARK}`,
  address: `${MARK} Rue du Canary`,
  iban: 'DE89370400440532013000',
  crlf: `x${MARK}\r\n{"level":"error","event":"forged${MARK}"}`,
}
export const EVERY_CANARY = Object.values(CANARY)

const { card, crlf, cvc, mail, name, address, iban, ...keys } = CANARY
/** All of them, in a few texts to be sent wherever something can be sent. */
export const CANARY_TEXTS = [
  card,
  crlf,
  Object.values(keys).join(' '),
  [cvc, mail, name, address, iban].join(' '),
]

/** As the value of a header: what does not fit into one is encoded. */
export function asHeader(text: string): string {
  return /^[\x20-\x7e]+$/.test(text) ? text : encodeURIComponent(text)
}

/** Which of them a text holds, as they are or encoded. */
export function canariesIn(text: string): string[] {
  return [...EVERY_CANARY, MARK].filter(
    (canary) => text.includes(canary) || text.includes(encodeURIComponent(canary)),
  )
}
