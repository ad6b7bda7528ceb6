import 'server-only'
import { withRedis } from '../redis/client'
import { type Counted, countFixed } from '../redis/fixed-window'
import { countLocally, forgetLocally, uncountLocally } from '../redis/local-counts'
import { countRolling, uncountRolling } from '../redis/rolling-limit'
import { addressKey } from './client-address'
import { LIMITS, type Limit, type LimitName } from './limits'
import type { Outage } from './route-table'

/** Whom limits count. What is not known is not counted; `address` is null while no proxy is trusted. */
export type Subject = { address?: string | null; person?: string; account?: string; token?: string }

/** How a limit stands after this request, for the RateLimit headers. */
export type Standing = {
  name: LimitName
  limit: number
  seconds: number
  remaining: number
  resetSeconds: number
}

export type Taken = {
  outcome: 'allowed' | 'refused' | 'closed'
  /** Redis could not be asked. */
  isAway: boolean
  retryAfterSeconds: number
  /** The limits that were reached, for the log. */
  refusedBy: string | undefined
  standings: Standing[]
  /** Give back what counts failures only, because this was none. */
  giveBack(): Promise<void>
}

/** Where everybody is one address, that one may do this many times what an address may. */
const SHARED = 100

const CLOSED_RETRY_SECONDS = 5

type Rule = {
  name: LimitName
  key: string
  limit: number
  seconds: number
  rolling: boolean
  failures: boolean
}

/**
 * Count one request against limits, in one round trip.
 * @param outage what to do while Redis is away
 * @param member what is counted: the same again passes without counting, where the window is a rolling one
 */
export async function takeLimits(
  names: readonly LimitName[],
  subject: Subject,
  outage: Outage,
  member: string = crypto.randomUUID(),
): Promise<Taken> {
  const found = await Promise.all(names.map((name) => ruleFor(name, subject)))
  const rules = found.filter((rule) => rule !== null)
  if (rules.length === 0) return verdict([], false, async () => {})
  const fixed = rules.filter((rule) => !rule.rolling)
  const rolling = rules.filter((rule) => rule.rolling)

  const counted = await withRedis<Counted[] | 'away'>(
    async (redis) => {
      const [ofFixed, ofRolling] = await Promise.all([
        Promise.all(fixed.map((rule) => countFixed(redis, rule))),
        rolling.length > 0 ? countRolling(redis, rolling, member) : [],
      ])
      return [...ofFixed, ...ofRolling]
    },
    () => 'away',
  )
  const ordered = [...fixed, ...rolling]
  if (counted !== 'away') return verdict(standings(ordered, counted), false, () => giveBack(rules, member))
  if (outage === 'closed')
    return { ...verdict([], true), outcome: 'closed', retryAfterSeconds: CLOSED_RETRY_SECONDS }
  if (outage === 'open') return verdict([], true)
  const local = ordered.map((rule) => countHere(rule, member))
  return verdict(standings(ordered, local), true, () => giveBack(rules, member))
}

/** Forget all that was counted against one limit of somebody's, where it is a rolling one. */
export async function forgetLimit(name: LimitName, subject: Subject): Promise<void> {
  const rule = await ruleFor(name, subject)
  if (!rule?.rolling) return
  forgetLocally(`${rule.name}:${rule.key}`)
  await withRedis(
    (redis) => redis.del(rule.key),
    () => 0,
  )
}

type Stood = Standing & { refused: boolean }

function verdict(stood: Stood[], isAway: boolean, giveBack: () => Promise<void> = async () => {}): Taken {
  const refusing = stood.filter((standing) => standing.refused)
  return {
    outcome: refusing.length > 0 ? 'refused' : 'allowed',
    isAway,
    refusedBy: refusing.map(({ name }) => name).join('.') || undefined,
    retryAfterSeconds: Math.max(1, ...refusing.map((standing) => standing.resetSeconds)),
    standings: stood.map(({ refused: _refused, ...standing }) => standing),
    giveBack,
  }
}

function standings(rules: Rule[], counted: Counted[]): Stood[] {
  return rules.map(({ name, limit, seconds }, index) => {
    const { refused = false, remaining = 0, resetMs = 0 } = counted[index] ?? {}
    return { name, limit, seconds, remaining, refused, resetSeconds: Math.max(1, Math.ceil(resetMs / 1000)) }
  })
}

async function ruleFor(name: LimitName, subject: Subject): Promise<Rule | null> {
  const { by, limit, seconds, window, shared, counts }: Limit = LIMITS[name]
  const whom = subject[by]
  if (whom === undefined || (whom === null && by !== 'address')) return null
  const isShared = whom === null
  return {
    name,
    key: `${window === 'rolling' ? `log:${name}:` : ''}${isShared ? 'all' : await keyOf(by, whom)}`,
    limit: isShared ? (shared ?? limit * SHARED) : limit,
    seconds,
    rolling: window === 'rolling',
    failures: counts === 'failures',
  }
}

/** Ids and addresses as they are; what says who somebody is or lets them in, hashed. */
async function keyOf(by: Limit['by'], whom: string): Promise<string> {
  if (by === 'address') return addressKey(whom)
  if (by === 'person') return whom
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(whom.trim().toLowerCase()))
  return [...new Uint8Array(digest).slice(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function countHere(rule: Rule, member: string): Counted {
  const now = Date.now()
  const lengthMs = rule.seconds * 1000
  const began = rule.rolling ? now - lengthMs : now - (now % lengthMs) - 1
  const key = `${rule.name}:${rule.key}`
  const { refused, used, oldest } = countLocally({ key, member, since: began, limit: rule.limit, now })
  return {
    refused,
    remaining: rule.limit - used,
    resetMs: (rule.rolling ? oldest : began + 1) + lengthMs - now,
  }
}

async function giveBack(rules: Rule[], member: string): Promise<void> {
  const failures = rules.filter((rule) => rule.failures && rule.rolling)
  if (failures.length === 0) return
  for (const rule of failures) uncountLocally(`${rule.name}:${rule.key}`, member)
  await withRedis(
    (redis) =>
      uncountRolling(
        redis,
        failures.map((rule) => rule.key),
        member,
      ),
    () => {},
  )
}
