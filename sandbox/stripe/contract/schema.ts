/** As much of JSON Schema (2020-12, the dialect of OpenAPI 3.1) as the SDK's types need. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: (string | number | boolean | null)[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
}

export type ContractOperation = {
  /** The method of the SDK, e.g. `paymentIntents.create`. */
  name: string
  /** Null: the SDK's method takes none. */
  params: Schema | null
  response: Schema
}

/**
 * What the installed SDK says about the API. Derived from the types of stripe-node, NOT from Stripe's own specification: it knows names,
 * kinds and closed sets of values, and nothing of lengths, patterns, ranges or whether a number is whole.
 */
export type Contract = {
  apiVersion: string
  derivedFrom: string
  /** By `METHOD /v1/path/*`, see operationKey(). */
  operations: Record<string, ContractOperation>
  /** By event type: the whole event, with the object it carries. */
  events: Record<string, Schema>
  /** An answer that is no success. */
  error: Schema
  /** What `$ref: '#/$defs/…'` points to. */
  schemas: Record<string, Schema>
}

/** One name for an address, however its variable parts are written: `/v1/refunds/:id`, `/v1/refunds/{id}`. */
export function operationKey(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replace(/(:\w+|\{\w+\})/g, '*')}`
}

const DEFS = '#/$defs/'

export function refTo(name: string): Schema {
  return { $ref: DEFS + name }
}

/** The schema itself, where another one only points to it. */
export function resolved({ schemas }: Pick<Contract, 'schemas'>, schema: Schema): Schema {
  if (!schema.$ref) return schema
  const target = schemas[schema.$ref.slice(DEFS.length)]
  if (!target) throw new Error(`The contract has no schema ${schema.$ref}`)
  return target
}
