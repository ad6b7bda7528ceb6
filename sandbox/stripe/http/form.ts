import { invalidParameter, StripeError } from './errors.ts'

/** What a form-encoded body or query says: text at the leaves, lists as objects with numbers for names. */
export type FormValue = string | FormFields
export type FormFields = { [name: string]: FormValue }

const MAX_DEPTH = 12

/** `a[b]=1&c[0]=2&d[]=3` as nested fields (stripe.N8). Fields have no prototype, so no name is special. */
export function decodeForm(text: string): FormFields {
  const root = emptyFields()
  for (const [key, value] of new URLSearchParams(text)) {
    const [last, ...before] = splitKey(key).reverse()
    if (last === undefined) continue
    let fields = root
    for (const name of before.reverse()) fields = child(fields, name, key)
    const name = last === '' ? nextIndex(fields) : last
    if (typeof fields[name] === 'object') throw malformed(key)
    fields[name] = value
  }
  return root
}

/** Bodies are forms; JSON is a common mistake and would otherwise look like missing parameters. */
export function assertFormType(contentType: string | undefined, body: string): void {
  if (body === '' || contentType === undefined) return
  if (contentType.toLowerCase().startsWith('application/x-www-form-urlencoded')) return
  throw new StripeError(
    400,
    {
      type: 'invalid_request_error',
      message: `Invalid request: expected a body of type application/x-www-form-urlencoded, got ${contentType}`,
    },
    { beforeExecution: true },
  )
}

export function emptyFields(): FormFields {
  return Object.create(null) as FormFields
}

/** `a[b][0]` is written `["a","b","0"]`. */
function splitKey(key: string): string[] {
  const open = key.indexOf('[')
  if (open <= 0) return [key]
  const inner = key.slice(open)
  if (!/^(\[[^[\]]*\])+$/.test(inner)) throw malformed(key)
  const parts = [key.slice(0, open), ...inner.slice(1, -1).split('][')]
  if (parts.length > MAX_DEPTH) throw malformed(key)
  return parts
}

function child(fields: FormFields, name: string, key: string): FormFields {
  const index = name === '' ? nextIndex(fields) : name
  const existing = fields[index]
  if (existing === undefined) {
    const made = emptyFields()
    fields[index] = made
    return made
  }
  if (typeof existing === 'string') throw malformed(key)
  return existing
}

function nextIndex(fields: FormFields): string {
  return String(Object.keys(fields).length)
}

function malformed(key: string): StripeError {
  return invalidParameter(key.slice(0, 100), 'Invalid request: the parameters could not be decoded')
}
