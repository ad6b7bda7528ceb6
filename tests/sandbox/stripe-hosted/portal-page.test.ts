import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, startWorld, type World } from '../stripe-browser/support/world.ts'
import { aPlan, aSubscription, fillCard, open, overflows } from './support.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

describe('the customer portal', () => {
  it('cancels a subscription at the end of its period, and keeps it after all', async () => {
    const { portal, subscription } = await aSubscription(world)
    const { page, problems, close } = await open(world, portal.url)

    await page.getByText('Cancel subscription').click()
    await page.getByRole('button', { name: 'Cancel at the end of the period' }).click()
    await page.getByText('Your subscription is cancelled.').waitFor()
    await page.getByText(/Ends on/).waitFor()
    const leaving = await world.sdk.subscriptions.retrieve(subscription.id)
    await page.getByRole('button', { name: 'Keep subscription' }).click()
    await page.getByText('Your subscription goes on.').waitFor()
    const staying = await world.sdk.subscriptions.retrieve(subscription.id)

    expect(leaving.cancel_at).not.toBeNull()
    expect(staying.cancel_at).toBeNull()
    expect(problems).toEqual([])
    await close()
  })

  it('changes to another plan', async () => {
    const { portal, subscription } = await aSubscription(world)
    const elite = await aPlan(world, 'Elite', 9000)
    const { page, close } = await open(world, portal.url)

    await page.getByLabel('Change to').selectOption({ label: 'Elite, $90.00 / month' })
    await page.getByRole('button', { name: 'Change plan' }).click()
    await page.getByText('Your plan is changed.').waitFor()

    const after = await world.sdk.subscriptions.retrieve(subscription.id)
    expect(after.items.data[0]?.price.id).toBe(elite.id)
    await close()
  })

  it('adds a card that the bank asks about, and goes back to the old one', async () => {
    const { portal, customer } = await aSubscription(world)
    const { page, problems, close } = await open(world, portal.url)

    await page.getByText('Add a card').click()
    await fillCard(page, '4000002500003155')
    await page.getByRole('button', { name: 'Save card' }).click()
    await page.getByRole('button', { name: 'Complete authentication' }).click()
    await page.getByText('The new card is used from now on.').waitFor()
    const added = await world.sdk.customers.retrieve(customer.id, {
      expand: ['invoice_settings.default_payment_method'],
    })
    await page.getByRole('button', { name: 'Use this card ending in 4242' }).click()
    await page.getByText('This card is used from now on.').waitFor()

    expect(added).toMatchObject({ invoice_settings: { default_payment_method: { card: { last4: '3155' } } } })
    expect(problems).toEqual([])
    await close()
  })

  it('shows invoices, and leads back to the shop', async () => {
    const { portal } = await aSubscription(world)
    const { page, close } = await open(world, portal.url)

    const back = await page.getByRole('link', { name: 'Return to the shop' }).getAttribute('href')
    await page.getByRole('link', { name: /-0001$/ }).click()
    await page.getByText('Paid. Thank you.').waitFor()

    expect(back).toBe(`${world.shop.origin}/`)
    expect(await accessibilityProblems(page)).toEqual([])
    await close()
  })

  it.each([
    ['light', 360],
    ['dark', 360],
    ['light', 1400],
    ['dark', 1400],
  ] as const)('has no accessibility problem and fits: %s, %i pixels', async (colorScheme, width) => {
    const { portal } = await aSubscription(world)
    const visit = await open(world, portal.url, { colorScheme, width })
    await visit.page.getByText('Add a card').click()
    await visit.page.getByText('Cancel subscription').click()

    expect(await accessibilityProblems(visit.page)).toEqual([])
    expect(await overflows(visit.page)).toBe(false)
    if (process.env.HOSTED_SHOTS) {
      await visit.page.screenshot({
        path: `${process.env.HOSTED_SHOTS}/portal-${colorScheme}-${width}.png`,
        fullPage: true,
      })
    }
    await visit.close()
  })
})
