import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes'
import { CANARY, settingNames } from '../../scripts/production-build'
import { newOrder } from '../support/payment-rows'
import { newPerson } from '../support/people'
import { stack } from '../support/stack-in-test'

const { env, serverUrls } = stack()
const built = path.join(root, '.next')

/** What the servers run with and nobody outside may see. */
const SECRETS = [
  env.STRIPE_SECRET_KEY,
  env.STRIPE_WEBHOOK_SECRET,
  env.DATABASE_URL,
  new URL(env.DATABASE_URL ?? '').password,
  env.UPSTASH_REDIS_REST_URL,
  env.UPSTASH_REDIS_REST_TOKEN,
  env.CRON_SECRET,
  env.SUPABASE_PUBLISHABLE_KEY,
  stack().supabaseSecretKey,
].filter((value) => value !== undefined)

function filesUnder(folder: string): string[] {
  return readdirSync(path.join(built, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

/** The build's own words for something, in each file that browsers may get. */
function publicTexts(): [file: string, text: string][] {
  return filesUnder('static').map((file) => [path.relative(built, file), readFileSync(file, 'utf8')])
}

describe('the production build', () => {
  it('was made with a canary in every setting, and holds none of them [S-4]', () => {
    expect(settingNames()).toEqual(
      expect.arrayContaining(['STRIPE_SECRET_KEY', 'DATABASE_URL', 'CRON_SECRET']),
    )
    const texts = publicTexts()
    const inServer = filesUnder('server').filter((file) => readFileSync(file, 'utf8').includes(CANARY))

    expect(texts.length).toBeGreaterThan(10)
    for (const [file, text] of texts) expect(text.includes(CANARY), file).toBe(false)
    expect(inServer).toEqual([])
  })

  it('tells browsers neither the name of a secret setting nor a setting by prefix [S-4]', () => {
    const secretNames = settingNames().filter((name) => /SECRET|TOKEN|DATABASE/.test(name))

    expect(secretNames.length).toBeGreaterThan(4)
    for (const [file, text] of publicTexts()) {
      for (const name of [...secretNames, 'NEXT_PUBLIC_'])
        expect(text.includes(name), `${name} ${file}`).toBe(false)
    }
  })

  it('shows no secret in any page, as HTML or as data for the router, to whoever asks [S-4]', async () => {
    const person = await newPerson()
    const orderId = await newOrder(person.id)
    const pages = [
      '/',
      '/sign-in',
      '/sign-up',
      '/payments',
      `/orders/${orderId}`,
      `/checkout/${orderId}`,
      '/nowhere',
    ]
    const secrets = [...SECRETS, person.accessToken]

    expect(secrets.length).toBeGreaterThan(8)
    for (const page of pages) {
      const { cookie } = person
      const asked: Record<string, string>[] = [{}, { cookie }, { cookie, rsc: '1' }]
      for (const headers of asked) {
        const response = await fetch(`${serverUrls[0]}${page}`, { headers })
        const text = `${[...response.headers].filter(([name]) => name !== 'set-cookie').join()} ${await response.text()}`

        for (const secret of secrets) expect(text.includes(secret), page).toBe(false)
        expect(text, page).not.toContain(CANARY)
      }
    }
  })

  it('brings browsers no source map and no hint of one [S-11]', async () => {
    const texts = publicTexts()
    const scripts = texts.filter(([file]) => file.endsWith('.js'))

    expect(scripts.length).toBeGreaterThan(5)
    expect(texts.map(([file]) => file).filter((file) => file.endsWith('.map'))).toEqual([])
    for (const [file, text] of scripts) {
      expect(text.includes('sourceMappingURL'), file).toBe(false)
      const map = await fetch(`${serverUrls[0]}/_next/${file}.map`)
      expect(map.status, file).toBe(404)
    }
  })

  it('holds nothing of the sandbox, the tests or the scripts [S-11]', () => {
    const traces = filesUnder('server').filter((file) => file.endsWith('.nft.json'))
    const traced = traces.flatMap((trace) => {
      const { files } = JSON.parse(readFileSync(trace, 'utf8')) as { files: string[] }
      return files.map((file) => path.relative(root, path.resolve(path.dirname(trace), file)))
    })
    const maps = filesUnder('server').filter((file) => file.endsWith('.js.map'))
    const sources = maps.flatMap((map) => sourcesOf(JSON.parse(readFileSync(map, 'utf8')) as SourceMap))

    expect(traced.length).toBeGreaterThan(100)
    expect(sources.some((source) => source.includes('lib/env.ts'))).toBe(true)
    expect(
      [...traced, ...sources].filter((file) => /(?:^|\[project\]\/)(?:sandbox|tests|scripts)\//.test(file)),
    ).toEqual([])
  })

  it('answers on no address that is for debugging [S-11]', async () => {
    for (const page of [
      '/__nextjs_original-stack-frames',
      '/_next/webpack-hmr',
      '/_local/faults',
      '/debug',
      '/.env',
      '/.git/HEAD',
      '/package.json',
      '/next.config.js',
    ]) {
      const response = await fetch(`${serverUrls[0]}${page}`)
      expect(response.status, page).toBe(404)
    }
  })
})

type SourceMap = { sources?: string[]; sections?: { map: SourceMap }[] }

function sourcesOf({ sources = [], sections = [] }: SourceMap): string[] {
  return [...sources, ...sections.flatMap(({ map }) => sourcesOf(map))]
}
