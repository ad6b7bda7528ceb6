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

const MAX_PROBLEMS = 8

/** So that a server that runs for long does not keep all it ever said. */
const MAX_WAITING = 2_000

/** A checker for the contract of the installed SDK. */
export async function loadContractChecker(): Promise<ContractChecker> {
  return new ContractChecker(await loadContract())
}

/**
 * Holds answers and events against the contract. It sees names, kinds, missing and surplus fields and unknown values of closed sets. It cannot
 * see a wrong value of the right kind: another id, an amount in the wrong unit, a time in the past, a fraction where a whole number belongs.
 */
export class ContractChecker implements Observer {
  readonly #contract: Contract
  readonly #ajv: Ajv2020
  readonly #validators = new Map<string, ValidateFunction>()
  readonly #violations = new Map<string, Violation>()
  readonly #waiting: (() => void)[] = []
  readonly #checked = { responses: 0, errors: 0, events: 0 }

  constructor(contract: Contract) {
    this.#contract = contract
    // Unoptimized code compiles three times as fast and is run a few hundred times only.
    this.#ajv = new Ajv2020({
      strict: false,
      allErrors: true,
      inlineRefs: false,
      validateSchema: false,
      verbose: true,
      code: { optimize: false },
    })
    this.#ajv.addSchema({ $id: 'contract', $defs: contract.schemas })
  }

  response(answer: ObservedResponse): void {
    this.#later(() => this.#checkResponse(answer))
  }

  event(event: Pick<Stripe.Event, 'type'>): void {
    this.#later(() => this.#checkEvent(event))
  }

  /** Checks what was seen since the last time. Each violation is told once, however often it was seen. */
  report(): ContractReport {
    for (const check of this.#waiting.splice(0)) check()
    return { checked: { ...this.#checked }, violations: [...this.#violations.values()] }
  }

  /** Compiling a validator takes a second that no answer should wait for. */
  #later(check: () => void): void {
    this.#waiting.push(check)
    if (this.#waiting.length >= MAX_WAITING) this.report()
  }

  #checkResponse({ method, path, status, body, key }: ObservedResponse): void {
    const where = path === null ? `${method} (no operation)` : `${method} ${path}`
    const value = parsed(body)
    if (status >= 400) {
      this.#checked.errors += 1
      this.#check(`${where}, error ${status}`, 'error', this.#contract.error, value, key)
      return
    }
    this.#checked.responses += 1
    const name = operationKey(method, path ?? '')
    const known = this.#contract.operations[name]
    if (known) this.#check(where, name, known.response, value, key)
    else this.#add(where, ['the SDK has no such operation'])
  }

  #checkEvent(event: Pick<Stripe.Event, 'type'>): void {
    this.#checked.events += 1
    const where = `event ${event.type}`
    const schema = this.#contract.events[event.type]
    if (schema) this.#check(where, where, schema, event, 'secret')
    else this.#add(where, ['the SDK has no such event, or its object is outside of the contract'])
  }

  #check(where: string, name: string, schema: Schema, value: unknown, key: KeyKind): void {
    const validate = this.#validators.get(name) ?? this.#compile(name, schema)
    if (validate(value)) return
    const errors = (validate.errors ?? []).filter((error) => !(key === 'publishable' && isOmission(error)))
    // What remains of a union that failed only because of omissions is the union itself.
    const telling = errors.filter(({ keyword }) => keyword !== 'anyOf')
    if (telling.length > 0 || (key === 'secret' && errors.length > 0)) {
      this.#add(where, summarize(telling.length > 0 ? telling : errors))
    }
  }

  #compile(name: string, schema: Schema): ValidateFunction {
    const validate = this.#ajv.compile(absolute(schema))
    this.#validators.set(name, validate)
    return validate
  }

  #add(where: string, problems: string[]): void {
    const violation = { where, problems }
    this.#violations.set(JSON.stringify(violation), violation)
  }
}

/** A publishable key gets some of the fields only (stripe.P18). */
function isOmission({ keyword }: ErrorObject): boolean {
  return keyword === 'required'
}

/** Deepest first: the alternatives of a union that were never meant fail near its top. */
function summarize(errors: ErrorObject[]): string[] {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length
  const lines = [...errors].sort((a, b) => depth(b) - depth(a)).map(describe)
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
