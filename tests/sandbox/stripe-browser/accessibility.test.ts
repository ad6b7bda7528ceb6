import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  accessibilityProblems,
  createIntent,
  fillCard,
  startWorld,
  type Visit,
  visit,
  type World,
} from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const SCREENSHOTS = process.env.SCREENSHOT_DIR

let world: World
let shop: Visit
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())
afterEach(() => shop.close())

async function picture(name: string) {
  if (SCREENSHOTS) await shop.page.screenshot({ path: `${SCREENSHOTS}/${name}.png` })
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  const theme = colorScheme === 'dark' ? 'night' : 'stripe'
  it.each([360, 800])('axe finds nothing in the card fields at %i pixels', async (width) => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { appearance: { theme } }, { colorScheme, width })

    const empty = await accessibilityProblems(shop.page)
    await shop.pay()
    await picture(`fields-wrong-${colorScheme}-${width}`)
    const wrong = await accessibilityProblems(shop.page)
    await fillCard(shop, '378282246310005', { cvc: '1234' })
    await picture(`fields-filled-${colorScheme}-${width}`)
    const filled = await accessibilityProblems(shop.page)

    expect({ empty, wrong, filled }).toEqual({ empty: [], wrong: [], filled: [] })
    const overflow = await shop.frame.locator('html').evaluate((root) => root.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })

  it.each([360, 800])('axe finds nothing in the challenge at %i pixels', async (width) => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { appearance: { theme } }, { colorScheme, width })
    await fillCard(shop, '4000002760003184')
    await shop.page.getByRole('button', { name: 'Pay' }).click()
    await shop.page.frameLocator('dialog[open] iframe').locator('#test-source-authorize-3ds').waitFor()
    await picture(`challenge-${colorScheme}-${width}`)

    expect(await accessibilityProblems(shop.page)).toEqual([])
  })
})
