import { invalidParameter } from '../http/errors.ts'
import type { Param } from '../http/params.ts'

/** `''` for a key unsets that key; null unsets all (stripe.L4). */
export type MetadataChange = Record<string, string> | null | undefined

const MAX_KEYS = 50
const MAX_KEY_LENGTH = 40
const MAX_VALUE_LENGTH = 500

export function metadata(): Param<MetadataChange> {
  return {
    read(value, name) {
      if (value === undefined) return undefined
      if (value === '') return null
      if (typeof value === 'string') throw invalidParameter(name, 'Invalid object: metadata has keys')
      const change: Record<string, string> = {}
      for (const [key, entry] of Object.entries(value)) {
        if (typeof entry !== 'string') {
          throw invalidParameter(`${name}[${key}]`, 'Metadata values must be strings')
        }
        if (key.length > MAX_KEY_LENGTH) {
          throw invalidParameter(name, `Metadata keys can have up to ${MAX_KEY_LENGTH} characters`)
        }
        if (entry.length > MAX_VALUE_LENGTH) {
          throw invalidParameter(
            `${name}[${key}]`,
            `Metadata values can have up to ${MAX_VALUE_LENGTH} characters`,
          )
        }
        change[key] = entry
      }
      return change
    },
  }
}

/** The metadata after a change: merged, not replaced. */
export function mergeMetadata(
  current: Record<string, string>,
  change: MetadataChange,
): Record<string, string> {
  if (change === undefined) return current
  if (change === null) return {}
  const merged = Object.entries({ ...current, ...change }).filter(([, value]) => value !== '')
  if (merged.length > MAX_KEYS) {
    throw invalidParameter('metadata', `Metadata can have up to ${MAX_KEYS} keys`)
  }
  return Object.fromEntries(merged)
}
