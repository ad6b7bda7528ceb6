import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { operationKey } from '../contract/schema.ts'
import { StripeError, unsupportedParameter } from './errors.ts'
import type { Operation } from './operation.ts'

/** Written by `node scripts/stripe-parameters.ts` from the SDK's types; a test says when it is out of date. */
export const KNOWN_PARAMETERS_FILE = join(import.meta.dirname, 'known-parameters.jsonl')

type Names = { [name: string]: Names }

let known: Map<string, Names> | null = null

/**
 * Stripe refuses a parameter it does not know. One that Stripe knows and this stand-in has not is another matter, and the
 * developer should be told which of the two it is.
 */
export function explainUnknownParameter(
  error: unknown,
  operation: Pick<Operation, 'method' | 'path'>,
): unknown {
  if (!(error instanceof StripeError) || error.body.code !== 'parameter_unknown') return error
  const { param = '' } = error.body
  return stripeHas(operation, param) ? unsupportedParameter(param) : error
}

function stripeHas({ method, path }: Pick<Operation, 'method' | 'path'>, param: string): boolean {
  known ??= new Map(readLines())
  let names: Names | undefined = known.get(operationKey(method, path))
  for (const name of param.replaceAll(']', '').split('[')) {
    if (/^\d*$/.test(name)) continue
    names = names && (Object.hasOwn(names, name) ? names[name] : names['*'])
  }
  return names !== undefined
}

function readLines(): [string, Names][] {
  const lines = readFileSync(KNOWN_PARAMETERS_FILE, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as [string, Names])
}
