import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const MIGRATIONS = 'supabase/migrations'

describe('the webhook endpoint that docs/deploy.md asks for', () => {
  it('gets each event that the database acts on, and no other', () => {
    expect(documented()).toEqual(handled())
  })

  it('is told the API version that the app is pinned to', () => {
    const [, pinned] = /STRIPE_API_VERSION = '([^']+)'/.exec(readFileSync('lib/env.ts', 'utf8')) ?? []

    expect(pinned).toBeTruthy()
    expect(readFileSync('docs/deploy.md', 'utf8')).toContain(`API version \`${pinned}\``)
  })
})

/** What the list in the docs names, one event a line. */
function documented(): string[] {
  const [, list = ''] = /```text webhook-events\n([\s\S]*?)```/.exec(deploymentGuide()) ?? []
  return list.trim().split(/\s+/).sort()
}

function deploymentGuide(): string {
  // The list is indented: it stands below a numbered step.
  return readFileSync('docs/deploy.md', 'utf8').replaceAll(/^ +/gm, '')
}

/** The types of Stripe's events that the newest `private.hinted_kind` names, in full or as the beginning of a `like`. */
function handled(): string[] {
  const words = [...newestDefinition().matchAll(/'([a-z_]+\.[a-z_.]*)%?'/g)].map(([, word = '']) => word)
  return stripeEventTypes()
    .filter((type) => words.some((word) => word === type || (word.endsWith('.') && type.startsWith(word))))
    .sort()
}

function newestDefinition(): string {
  const definitions = readdirSync(MIGRATIONS)
    .sort()
    .flatMap((file) => [
      ...readFileSync(`${MIGRATIONS}/${file}`, 'utf8').matchAll(
        /create (?:or replace )?function private\.hinted_kind\([\s\S]*?as \$(\w*)\$([\s\S]*?)\$\1\$/g,
      ),
    ])
  return definitions.at(-1)?.[2] ?? ''
}

/** As the installed SDK lists them for an endpoint. */
function stripeEventTypes(): string[] {
  const types = readFileSync('node_modules/stripe/esm/resources/WebhookEndpoints.d.ts', 'utf8')
  const [, union = ''] = /type EnabledEvent = ([^;]+);/.exec(types) ?? []
  return [...union.matchAll(/'([a-z_]+\.[a-z_.]+)'/g)].map(([, type = '']) => type)
}
