import { invalidParameter, missingParameter, unknownParameter, unsupportedParameter } from './errors.ts'
import type { FormFields, FormValue } from './form.ts'

/**
 * What one parameter may be. `read` gets the decoded value (undefined when it was not sent) and the name as the caller wrote it,
 * and throws the Stripe error that says what is wrong.
 */
export type Param<T> = {
  read(value: FormValue | undefined, name: string): T
  /** The parameters within this one, for whoever wants to know what an operation takes. */
  readonly inside?: Params
}

/** The parameters of an operation. Any other is refused (stripe.R6). */
export type Params = Record<string, Param<unknown>>
export type ReadParams<P extends Params> = { [K in keyof P]: P[K] extends Param<infer T> ? T : never }

export function readParams<P extends Params>(params: P, fields: FormFields, parent = ''): ReadParams<P> {
  const nameOf = (name: string) => (parent ? `${parent}[${name}]` : name)
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(params, name)) throw unknownParameter(nameOf(name))
  }
  const values = Object.entries(params).map(([name, param]) => [name, param.read(fields[name], nameOf(name))])
  // Each value was read by the parameter of its name, which is what ReadParams says.
  return Object.fromEntries(values) as ReadParams<P>
}

/** Text. An empty value is null: Stripe's way to unset a field. */
export function text({ max = 5000 }: { max?: number } = {}): Param<string | null | undefined> {
  return {
    read(value, name) {
      if (value === undefined) return undefined
      if (typeof value !== 'string') throw invalidParameter(name, `Invalid string: ${name} must be text`)
      if (value.length > max) {
        const message = `Invalid string: must be at most ${max} characters`
        throw invalidParameter(name, message, 'parameter_invalid_string_blank')
      }
      return value === '' ? null : value
    },
  }
}

/** Text that cannot be unset: an id, a currency. */
export function word(): Param<string | undefined> {
  return {
    read(value, name) {
      const read = text().read(value, name)
      if (read === null) throw emptyParameter(name)
      return read
    },
  }
}

export function integer({ min, max }: { min?: number; max?: number } = {}): Param<number | undefined> {
  return {
    read(value, name) {
      if (value === undefined) return undefined
      if (typeof value !== 'string' || !/^[+-]?\d{1,15}$/.test(value)) {
        throw invalidParameter(name, `Invalid integer: ${shown(value)}`, 'parameter_invalid_integer')
      }
      const number = Number(value)
      if (min !== undefined && number < min) {
        const message = `This value must be greater than or equal to ${min}.`
        throw invalidParameter(name, message, 'parameter_invalid_integer')
      }
      if (max !== undefined && number > max) {
        const message = `This value must be less than or equal to ${max}.`
        throw invalidParameter(name, message, 'parameter_invalid_integer')
      }
      return number
    },
  }
}

/** A number with decimals, as a percentage. */
export function decimal({ min, max }: { min: number; max: number }): Param<number | undefined> {
  return {
    read(value, name) {
      if (value === undefined) return undefined
      const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
      if (number >= min && number <= max) return number
      throw invalidParameter(name, `Invalid decimal: ${shown(value)}`)
    },
  }
}

export function boolean(): Param<boolean | undefined> {
  return {
    read(value, name) {
      if (value === undefined) return undefined
      if (value === 'true' || value === 'false') return value === 'true'
      throw invalidParameter(name, `Invalid boolean: ${shown(value)}`)
    },
  }
}

export function oneOf<T extends string>(...allowed: T[]): Param<T | undefined> {
  return {
    read(value, name) {
      if (value === undefined) return undefined
      if (value === '') throw emptyParameter(name)
      const found = allowed.find((candidate) => candidate === value)
      if (found === undefined) {
        throw invalidParameter(name, `Invalid ${name}: must be one of ${allowed.join(', ')}`)
      }
      return found
    },
  }
}

/** A parameter that may also be sent empty, to unset it. */
export function clearable<T>(param: Param<T>): Param<T | null> {
  return { ...param, read: (value, name) => (value === '' ? null : param.read(value, name)) }
}

export function required<T>(param: Param<T>): Param<NonNullable<T>> {
  return {
    ...param,
    read(value, name) {
      const read = value === undefined ? undefined : param.read(value, name)
      if (read === undefined || read === null) throw missingParameter(name)
      return read
    },
  }
}

export function fields<P extends Params>(params: P): Param<ReadParams<P> | undefined> {
  return {
    inside: params,
    read(value, name) {
      if (value === undefined) return undefined
      if (typeof value === 'string') throw invalidParameter(name, `Invalid object: ${name} has fields`)
      return readParams(params, value, name)
    },
  }
}

export function list<T>(
  item: Param<T>,
  { max = 100 }: { max?: number } = {},
): Param<NonNullable<T>[] | undefined> {
  const needed = required(item)
  return {
    ...item,
    read(value, name) {
      if (value === undefined) return undefined
      if (typeof value === 'string' || !Object.keys(value).every((key) => /^\d{1,4}$/.test(key))) {
        throw invalidParameter(name, 'Invalid array')
      }
      const entries = Object.entries(value).sort(([a], [b]) => Number(a) - Number(b))
      if (entries.length > max) throw invalidParameter(name, `Invalid array: at most ${max} values`)
      return entries.map(([key, entry]) => needed.read(entry, `${name}[${key}]`))
    },
  }
}

/** Parameters that Stripe has and this stand-in has not. */
export function unsupported<N extends string>(...names: N[]): Record<N, Param<undefined>> {
  const refuse: Param<undefined> = {
    read(value, name) {
      if (value === undefined) return undefined
      throw unsupportedParameter(name)
    },
  }
  return Object.fromEntries(names.map((name) => [name, refuse])) as Record<N, Param<undefined>>
}

/** One of two ways to say it; the first decides for plain text, the second for fields. */
export function either<A, B>(plain: Param<A>, nested: Param<B>): Param<A | B> {
  return { ...nested, read: (value, name) => (typeof value === 'object' ? nested : plain).read(value, name) }
}

function emptyParameter(name: string) {
  const message = `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`
  return invalidParameter(name, message, 'parameter_invalid_empty')
}

function shown(value: FormValue): string {
  return typeof value === 'string' ? value.slice(0, 50) : '(fields)'
}
