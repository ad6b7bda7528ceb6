import { readFileSync } from 'node:fs'
import path from 'node:path'
import { stack } from './stack-in-test'

type Sent = { server?: string; cookie?: string; headers?: Record<string, string> }

/** Fill in and send a page's form the way a browser without scripts does. */
export async function sendForm(
  page: string,
  fields: Record<string, string>,
  { server = stack().serverUrls[0], cookie = '', headers = {} }: Sent = {},
): Promise<Response> {
  const hidden = await hiddenFields(`${server}${page}`, Object.keys(fields)[0] ?? '', { cookie, ...headers })
  const body = new FormData()
  for (const [name, value] of Object.entries({ ...hidden, ...fields })) body.set(name, value)
  return await fetch(`${server}${page}`, {
    method: 'POST',
    headers: { origin: stack().appOrigin, cookie, ...headers },
    body,
    redirect: 'manual',
  })
}

/** Names of one form's fields by one of them, found once: they say which action it is for. */
const known = new Map<string, Record<string, string>>()

async function hiddenFields(
  url: string,
  field: string,
  headers: Record<string, string>,
): Promise<Record<string, string>> {
  const id = `${new URL(url).pathname} ${field} ${headers.cookie === ''}`
  const before = known.get(id)
  if (before) return before
  const html = await (await fetch(url, { headers })).text()
  const form = html.split('<form').find((part) => part.split('</form>')[0]?.includes(`name="${field}"`)) ?? ''
  const inputs = form.split('</form>')[0]?.match(/<input[^>]*type="hidden"[^>]*>/g) ?? []
  const hidden = Object.fromEntries(
    inputs.map((input) => [attribute(input, 'name'), attribute(input, 'value')]),
  )
  known.set(id, hidden)
  return hidden
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  return value.replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&amp;', '&')
}

/** Every server action of the production build: its name and the id by which a request asks for it. */
export function builtActions(): { name: string; id: string }[] {
  const file = path.resolve(import.meta.dirname, '../../.next/server/server-reference-manifest.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
    node: Record<string, { exportedName?: string }>
  }
  return Object.entries(manifest.node).map(([id, { exportedName = '' }]) => ({ id, name: exportedName }))
}

/** Press a button whose action takes no fields, as the page's script does. */
export async function callAction(
  name: string,
  { server = stack().serverUrls[0], cookie = '', headers = {} }: Sent = {},
): Promise<Response> {
  const action = builtActions().find((built) => built.name === name)
  if (!action) throw new Error(`there is no action ${name}`)
  return await fetch(`${server}/`, {
    method: 'POST',
    headers: {
      cookie,
      origin: stack().appOrigin,
      'next-action': action.id,
      'content-type': 'text/plain',
      ...headers,
    },
    body: '[]',
    redirect: 'manual',
  })
}
