import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type Stripe from 'stripe'
import type { KeyKind } from '../http/authenticate.ts'
import type { ObservedResponse, Observer } from '../observer.ts'
import { loadContract } from './load.ts'
import { type Contract, operationKey, type Schema } from './schema.ts'

/** Something this stand-in said that the SDK's types do not allow. */
export type Violation = {
  /** `POST /v1/refunds` or `event charge.refunded`. */
  where: string
  /** `/data/object/status must be equal to one of …`, the most telling first. */
  problems: string[]
}

export type ContractReport = {
  checked: { responses: number; errors: number; events: number }
  violations: Violation[]
}

const ERROR = 'error'
const EVENT = operationKey('GET', '/v1/events/:id')
const EVENTS = operationKey('GET', '/v1/events')

const MAX_PROBLEMS = 8

/** So that a server that runs for long does not keep all it ever said. */
const MAX_WAITING = 1_000
const MAX_WAITING_CHARACTERS = 10_000_000

/** A checker for the contract of the installed SDK. */
export async function loadContractChecker(): Promise<ContractChecker> {
  return new ContractChecker(await loadContract())
}

/**
 * Holds answers and events against the contract. It sees names, kinds, missing and surplus fields and unknown values of closed sets. It cannot
 * see a wrong value of the right kind: another id, an amount in the wrong unit, a time in the past, a fraction where a whole number belongs.
 */
export class ContractChecker implements Observer {
  readonly #contracts: Record<KeyKind, Validators>
  readonly #violations = new Map<string, Violation>()
  readonly #waiting: (() => void)[] = []
  #waitingCharacters = 0
  readonly #checked = { responses: 0, errors: 0, events: 0 }

  constructor(contract: Contract) {
    this.#contracts = {
      secret: new Validators(contract),
      publishable: new Validators(withoutRequired(contract)),
    }
  }

  response(answer: ObservedResponse): void {
    this.#waitingCharacters += answer.body.length
    this.#later(() => this.#checkResponse(answer))
  }

  event(event: Pick<Stripe.Event, 'type'>): void {
    this.#later(() => this.#checkEvent(event))
  }

  /** Checks what was seen since the last time. Each violation is told once, however often it was seen. */
  report(): ContractReport {
    for (const check of this.#waiting.splice(0)) check()
    this.#waitingCharacters = 0
    return { checked: { ...this.#checked }, violations: [...this.#violations.values()] }
  }

  /** The report, and a new start: what comes later is told of by itself. */
  takeReport(): ContractReport {
    const report = this.report()
    this.#violations.clear()
    Object.assign(this.#checked, { responses: 0, errors: 0, events: 0 })
    return report
  }

  /** Compiling a validator takes a second that no answer should wait for. */
  #later(check: () => void): void {
    this.#waiting.push(check)
    const full = this.#waiting.length >= MAX_WAITING || this.#waitingCharacters >= MAX_WAITING_CHARACTERS
    if (full) this.report()
  }

  #checkResponse(answer: ObservedResponse): void {
    const { method, path, status } = answer
    this.#checked[status >= 400 ? 'errors' : 'responses'] += 1
    const where = `${method} ${path ?? '(no operation)'}${status >= 400 ? `, error ${status}` : ''}`
    this.#add(where, this.problemsOfResponse(answer))
  }

  #checkEvent(event: Pick<Stripe.Event, 'type'>): void {
    this.#checked.events += 1
    this.#add(`event ${event.type}`, this.problemsOfEvent(event))
  }

  problemsOfResponse({ method, path, status, body, key }: ObservedResponse): string[] {
    const name = status >= 400 ? ERROR : operationKey(method, path ?? '')
    const answer = parsed(body)
    if (name === EVENT) return this.problemsOfEvent(answer)
    const problems = this.#contracts[key].problems(name, answer) ?? ['the SDK has no such operation']
    return name === EVENTS ? [...problems, ...this.#problemsInList(answer)] : problems
  }

  /** By its own type: the SDK has an answer that may be any of them, and trying each with each takes minutes in a run of all tests. */
  problemsOfEvent(event: unknown): string[] {
    const { type } = (event ?? {}) as { type?: unknown }
    const known = typeof type === 'string' ? this.#contracts.secret.problems(type, event) : null
    return known ?? ['the SDK has no such event, or its object is outside of the contract']
  }

  #problemsInList(answer: unknown): string[] {
    const { data } = (answer ?? {}) as { data?: unknown }
    return Array.isArray(data) ? [...new Set(data.flatMap((event) => this.problemsOfEvent(event)))] : []
  }

  #add(where: string, problems: string[]): void {
    if (problems.length === 0) return
    const violation = { where, problems }
    this.#violations.set(JSON.stringify(violation), violation)
  }
}

/** Compiles what is asked for, once. Operations, event types and `error` have different names by nature. */
class Validators {
  readonly #schemas: Record<string, Schema>
  readonly #validators = new Map<string, ValidateFunction>()
  readonly #ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    inlineRefs: false,
    validateSchema: false,
    verbose: true,
    // Unoptimized code compiles three times as fast and is run a few hundred times only.
    code: { optimize: false },
  })

  constructor({ operations, events, error, schemas }: Contract) {
    const answers = Object.fromEntries(
      Object.entries(operations).map(([name, { response }]) => [name, response]),
    )
    this.#schemas = { ...answers, [EVENTS]: withAnyData(answers[EVENTS]), ...events, [ERROR]: error }
    this.#ajv.addSchema({ $id: 'contract', $defs: schemas })
  }

  /** Null: there is nothing of that name. */
  problems(name: string, value: unknown): string[] | null {
    const schema = this.#schemas[name]
    if (!schema) return null
    const validate = this.#validators.get(name) ?? this.#ajv.compile(absolute(schema))
    this.#validators.set(name, validate)
    return validate(value) ? [] : summarize(validate.errors ?? [])
  }
}

/** A publishable key gets some of the fields only (stripe.P18). */
function withoutRequired(contract: Contract): Contract {
  const text = JSON.stringify(contract, (name, value) =>
    // A field of that name is an object, the keyword is a list.
    name === 'required' && Array.isArray(value) ? undefined : value,
  )
  return JSON.parse(text) as Contract
}

/** A list whose items are looked at one by one. */
function withAnyData(list: Schema = {}): Schema {
  return { ...list, properties: { ...list.properties, data: { type: 'array' } } }
}

/** Deepest first: the alternatives of a union that were never meant fail near its top. */
function summarize(errors: ErrorObject[]): string[] {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length
  const telling = errors.filter(({ keyword }) => keyword !== 'anyOf')
  const lines = (telling.length > 0 ? telling : errors).sort((a, b) => depth(b) - depth(a)).map(describe)
  return [...new Set(lines)].slice(0, MAX_PROBLEMS)
}

/** Names what is wrong, and a value only where it is plainly a constant: an answer may hold mail addresses and client secrets. */
function describe({ instancePath, keyword, params, message, data }: ErrorObject): string {
  const at = instancePath.replace(/\/\d+(?=\/|$)/g, '/*') || '/'
  if (keyword === 'additionalProperties') return `${at} has the unknown field ${params.additionalProperty}`
  if (keyword === 'required') return `${at} lacks ${params.missingProperty}`
  if (keyword === 'enum') {
    const value = typeof data === 'string' && /^[a-z_.]{1,60}$/.test(data) ? ` is ${data} and` : ''
    return `${at}${value} is not one of ${String(params.allowedValues).slice(0, 120)}`
  }
  return `${at} ${message}`
}

function absolute(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"contract#/$defs/')) as Schema
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
