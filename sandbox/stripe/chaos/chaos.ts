import { createHash, randomBytes } from 'node:crypto'
import type { Store } from '../core/store.ts'
import { invalidParameter } from '../http/errors.ts'
import { DEFAULT_MS, DEFAULT_SECONDS, type Fault, type FaultName } from './faults.ts'
import { PROFILES } from './profiles.ts'
import { matches, type Occasion, type Rule, type RuleInput, ruleSchema } from './rules.ts'

/** `matched` counts what the matchers fitted, `fired` how often the fault happened. */
export type StandingRule = Rule & { id: number; matched: number; fired: number }

export type Decision = {
  seed: string
  /** Null: asked for by the header of the call. */
  rule: number | null
  fault: FaultName
  /** Which match of the rule this was, from 1. With the seed it decides everything. */
  n: number
  subject: string
  fired: boolean
  /** Unix milliseconds, by this Stripe's clock. */
  at: number
}

export type ChaosState = { seed: string; profile: string | null; rules: StandingRule[] }

const SEED = 'chaos_seed'
const PROFILE = 'chaos_profile'

/**
 * Decides what goes wrong. A decision depends on the seed, the rule and the number of its match alone, so that the same calls with the
 * same seed go wrong in the same way. Rules, counts and the log are in the database, in the transaction of what they are about.
 */
export class Chaos {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  state(): ChaosState {
    return { seed: this.#seed(), profile: this.#store.readSetting(PROFILE), rules: this.#rules() }
  }

  /** Replaces all rules and begins to count and to log anew. @throws StripeError for an unknown profile. */
  configure({
    seed,
    profile,
    rules = [],
  }: {
    seed?: string
    profile?: string | null
    rules?: RuleInput[]
  }): void {
    const ofProfile = profile ? PROFILES[profile] : []
    if (!ofProfile)
      throw invalidParameter('profile', `profile must be one of ${Object.keys(PROFILES).join(', ')}`)
    this.#store.db.exec('delete from chaos_rules; delete from chaos_log')
    this.#store.writeSetting(SEED, seed ?? randomBytes(4).toString('hex'))
    this.#store.writeSetting(PROFILE, profile ?? null)
    for (const rule of [...ofProfile, ...rules]) this.add(rule)
  }

  /** Returns the new rule's id: 1 for the first. */
  add(rule: RuleInput): number {
    const { db } = this.#store
    const id = Number(db.prepare('select coalesce(max(id), 0) + 1 as id from chaos_rules').get()?.id)
    db.prepare('insert into chaos_rules (id, rule) values (?, ?)').run(
      id,
      JSON.stringify(ruleSchema.parse(rule)),
    )
    return id
  }

  remove(id: number): boolean {
    return this.#store.db.prepare('delete from chaos_rules where id = ?').run(id).changes === 1
  }

  /** What goes wrong now: by the standing rules, and by what the call itself asked for. */
  decide(occasion: Occasion, wishes: readonly Rule[] = []): Fault[] {
    const standing = this.#rules().filter((rule) => matches(rule, occasion) && !isUsedUp(rule))
    const wished = wishes.filter((rule) => matches(rule, occasion))
    return [
      ...standing.flatMap((rule) => this.#draw(rule, rule.id, rule.matched + 1, rule.fired, occasion)),
      ...wished.flatMap((rule) => this.#draw(rule, null, 1, 0, occasion)),
    ]
  }

  /** Oldest first. */
  log(limit: number): Decision[] {
    return this.#store.db
      .prepare('select * from (select * from chaos_log order by seq desc limit ?) order by seq')
      .all(limit)
      .map((row) => ({
        seed: String(row.seed),
        rule: row.rule === null ? null : Number(row.rule),
        fault: String(row.fault) as FaultName,
        n: Number(row.n),
        subject: String(row.subject),
        fired: row.fired === 1,
        at: Number(row.at),
      }))
  }

  #draw(rule: Rule, id: number | null, n: number, fired: number, { subject }: Occasion): Fault[] {
    const { db, clock, config } = this.#store
    const seed = this.#seed()
    const fires = n > rule.skip && chance(seed, id, n, 'fires') < rule.probability
    db.prepare(
      'insert into chaos_log (at, seed, rule, fault, n, subject, fired) values (?, ?, ?, ?, ?, ?, ?)',
    ).run(clock.nowMs(), seed, id, rule.fault, n, subject, fires ? 1 : 0)
    if (id !== null) {
      db.prepare('update chaos_rules set matched = ?, fired = ? where id = ?').run(
        n,
        fired + (fires ? 1 : 0),
        id,
      )
    }
    if (!fires) return []
    config.log(`chaos: ${rule.fault} on ${subject} (seed ${seed}, rule ${id ?? 'header'}, match ${n})`)
    return [toFault(rule, chance(seed, id, n, 'measure'))]
  }

  #seed(): string {
    return this.#store.readSetting(SEED) ?? 'none'
  }

  #rules(): StandingRule[] {
    return this.#store.db
      .prepare('select * from chaos_rules order by id')
      .all()
      .map((row) => ({
        ...(JSON.parse(String(row.rule)) as Rule),
        id: Number(row.id),
        matched: Number(row.matched),
        fired: Number(row.fired),
      }))
  }
}

function isUsedUp({ count, fired }: StandingRule): boolean {
  return count !== null && fired >= count
}

function toFault(rule: Rule, measure: number): Fault {
  const ms = rule.ms ?? DEFAULT_MS[rule.fault] ?? 0
  return {
    name: rule.fault,
    ms: rule.fault === 'webhook.reorder' ? Math.round(ms * measure) : ms,
    attempts: rule.attempts,
    copies: rule.copies,
    seconds: rule.seconds ?? DEFAULT_SECONDS[rule.fault] ?? 0,
  }
}

/** A number from 0 to 1 that everything given decides. */
function chance(seed: string, rule: number | null, n: number, what: string): number {
  const hash = createHash('sha256').update(`${seed}/${rule}/${n}/${what}`).digest()
  return hash.readUIntBE(0, 6) / 2 ** 48
}
