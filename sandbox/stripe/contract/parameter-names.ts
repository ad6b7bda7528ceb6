import { type Contract, resolved, type Schema } from './schema.ts'

/** Names within names; `*` stands for any name (metadata). Places of a list are left out. */
export type ParameterNames = { [name: string]: ParameterNames }

/** Every parameter of an operation, as deep as the SDK's types go. A type inside of itself is followed once. */
export function parameterNames(contract: Contract, schema: Schema | null): ParameterNames {
  const names: ParameterNames = {}
  if (schema) collect(contract, schema, names, [])
  return names
}

function collect(contract: Contract, schema: Schema, names: ParameterNames, above: readonly string[]): void {
  if (schema.$ref) {
    if (above.includes(schema.$ref)) return
    collect(contract, resolved(contract, schema), names, [...above, schema.$ref])
    return
  }
  for (const alternative of schema.anyOf ?? []) collect(contract, alternative, names, above)
  if (schema.items) collect(contract, schema.items, names, above)
  const { properties = {}, additionalProperties } = schema
  const any = typeof additionalProperties === 'object' ? { '*': additionalProperties } : {}
  for (const [name, inner] of Object.entries({ ...properties, ...any })) {
    const inside = names[name] ?? {}
    names[name] = inside
    collect(contract, inner, inside, above)
  }
}

/** The file that the server reads (http/known-parameters.jsonl): one line of JSON for each operation. */
export function parameterFile(contract: Contract): string {
  const lines = Object.entries(contract.operations)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { params }]) => JSON.stringify([key, parameterNames(contract, params)]))
  return `${lines.join('\n')}\n`
}
