import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Page, Response } from '@playwright/test'
import { root } from '../../scripts/processes'
import { stack } from '../support/stack-in-test'
import { expect, test } from './fixtures'
import { openCheckout, placeOrder, signUp } from './journeys'

type Listed = { reason: string } & (
  | { kind: 'built'; path: string }
  | { kind: 'inline'; starts: string[] }
  | { kind: 'stripe' }
)

const inventory: { scripts: Listed[]; headers: Record<string, string> } = JSON.parse(
  readFileSync(path.join(root, 'docs', 'security', 'payment-page.json'), 'utf8'),
)

/** A script as the page has it: its address, or its text when it stands in the page. */
type Script = { address: string } | { text: string }

function isListed(script: Script): boolean {
  return inventory.scripts.some((listed) => {
    if ('text' in script)
      return listed.kind === 'inline' && listed.starts.some((start) => script.text.startsWith(start))
    const { origin, pathname } = new URL(script.address)
    return listed.kind === 'built'
      ? origin === stack().appOrigin && pathname.startsWith(listed.path)
      : listed.kind === 'stripe' && origin === new URL(stack().env.STRIPE_API_BASE ?? '').origin
  })
}

async function scriptsOf(page: Page): Promise<Script[]> {
  return await page.evaluate(() =>
    [...document.scripts].map((script) =>
      script.src ? { address: script.src } : { text: script.textContent ?? '' },
    ),
  )
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

test('the pages that take cards run the scripts of their inventory and no other, as they were built (H16)', async ({
  page,
}) => {
  await signUp(page)
  await placeOrder(page)
  const files: Loaded[] = []
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script' && response.frame() === page.mainFrame())
      files.push({ response, by: page.url() })
  })

  await openCheckout(page)
  await expectListedAndBuilt(page, files)
  await page.goto(`${stack().appOrigin}/cards/new`)
  await expect(page.getByRole('button', { name: 'Save card' })).toBeEnabled()
  await expectListedAndBuilt(page, files)
})

/** A file, and the page that loaded it: the browser forgets what the one before has loaded. */
type Loaded = { response: Response; by: string }

async function expectListedAndBuilt(page: Page, files: Loaded[]): Promise<void> {
  const scripts = await scriptsOf(page)
  expect(scripts.length).toBeGreaterThan(3)
  expect(scripts.filter((script) => !isListed(script))).toEqual([])
  const ofPage = files.filter(({ by }) => by === page.url()).map(({ response }) => response)
  const own = ofPage.filter((file) => new URL(file.url()).origin === stack().appOrigin)
  expect(own.length).toBeGreaterThan(3)
  for (const file of own) {
    const { pathname } = new URL(file.url())
    const built = readFileSync(path.join(root, decodeURIComponent(pathname).replace('/_next/', '.next/')))
    expect(sha256(await file.body()), pathname).toBe(sha256(built))
  }
}

test('a script that is not in the inventory is noticed, and does not run (H16)', async ({
  page,
  watched,
}) => {
  await signUp(page)
  await placeOrder(page)
  await openCheckout(page)

  await page.evaluate(() => {
    document.body.insertAdjacentHTML(
      'beforeend',
      '<script>window.skimmed = true</script><img src="data:," onerror="window.skimmed = true">',
    )
  })

  await expect.poll(() => watched.refused.length).toBeGreaterThan(0)
  watched.refused.length = 0
  expect((await scriptsOf(page)).filter((script) => !isListed(script))).toEqual([
    { text: 'window.skimmed = true' },
  ])
  expect(isListed({ address: 'https://cdn.example.test/skimmer.js' })).toBe(false)
  expect(await page.evaluate(() => 'skimmed' in window)).toBe(false)
})

test('the page that takes cards carries the security headers of its inventory and no other (H16)', async ({
  page,
}) => {
  await signUp(page)
  await placeOrder(page)
  await openCheckout(page)

  const response = await page.reload()

  const security =
    /security|(?<!ratelimit-)policy|^x-(content-type|frame|xss)|^cache-control$|^access-control|^(report|nel)|clear-site-data/
  const present = Object.keys((await response?.allHeaders()) ?? {}).filter((name) => security.test(name))
  expect(present.sort()).toEqual(Object.keys(inventory.headers).sort())
})
