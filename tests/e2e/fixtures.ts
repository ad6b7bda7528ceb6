import AxeBuilder from '@axe-core/playwright'
import { test as base, expect, type Page, type Request } from '@playwright/test'
import { stack } from '../support/stack-in-test'

export { expect }

/** What the browser says of answers that are part of a journey: a declined card, a wrong password, a page that is not there. */
const EXPECTED_ERRORS = /Failed to load resource: the server responded with a status of (401|402|404|429)/
/** What the browser says when a policy of ours keeps something from loading or running. */
const REFUSALS = /Content Security Policy|Refused to|X-Frame-Options/i

export type Watched = {
  requests: Request[]
  /** Every Set-Cookie line the app has sent in this test. */
  setCookies: string[]
  /** What the browser refused for the sake of a policy of ours; a test that provokes that empties the list. */
  refused: string[]
}

/** A page under watch: no unexpected error, nothing leaves this machine, no card number reaches the app. */
export const test = base.extend<{ watched: Watched }>({
  watched: [
    async ({ page, context }, use) => {
      const watched: Watched = { requests: [], setCookies: [], refused: [] }
      const problems: string[] = []
      const { appOrigin } = stack()
      context.on('request', (request) => {
        watched.requests.push(request)
        const { protocol, hostname, origin } = new URL(request.url())
        if (/^https?:$/.test(protocol) && !['localhost', '127.0.0.1'].includes(hostname)) {
          problems.push(`a request left this machine: ${hostname}`)
        }
        const sent = `${request.url()} ${request.postData() ?? ''}`
        if (origin === appOrigin && holdsCardNumber(sent))
          problems.push(`a card number was sent to the app: ${request.url()}`)
      })
      context.on('response', async (response) => {
        if (new URL(response.url()).origin !== appOrigin) return
        const headers = await response.headersArray().catch(() => [])
        for (const { name, value } of headers)
          if (name.toLowerCase() === 'set-cookie') watched.setCookies.push(value)
      })
      page.on('pageerror', (error) => problems.push(`page error: ${error.message}`))
      page.on('console', (message) => {
        if (message.type() !== 'error' || EXPECTED_ERRORS.test(message.text())) return
        const list = REFUSALS.test(message.text()) ? watched.refused : problems
        list.push(`console: ${message.text()}`)
      })

      await use(watched)

      expect([...problems, ...watched.refused]).toEqual([])
    },
    { auto: true },
  ],
})

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/** Thirteen digits or more that pass the check of Luhn, however they are grouped. Not within a word: that is an id or a token. */
export function holdsCardNumber(text: string): boolean {
  // One of our ids in some ten thousand looks like one.
  const said = decodeURIComponent(text.replaceAll('+', ' ')).replaceAll(UUID, '')
  const runs = said.match(/(?<!\w)\d(?:[ -]?\d){12,18}(?!\w)/g) ?? []
  return runs.some((run) => {
    const digits = [...run.replaceAll(/\D/g, '')].reverse().map(Number)
    const sum = digits.reduce((total, digit, index) => {
      const doubled = index % 2 ? digit * 2 : digit
      return total + (doubled > 9 ? doubled - 9 : doubled)
    }, 0)
    return sum % 10 === 0 && run.startsWith('4')
  })
}

/** No violation that axe can find, in the page and in its frames. */
export async function expectAccessible(page: Page): Promise<void> {
  // After a link that loads no document, a page's title is there a moment later than the page.
  await expect(page).toHaveTitle(/\S/)
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map(
    (violation) => `${violation.id}: ${violation.nodes.map((node) => node.target).join(', ')}`,
  )
  expect(found, `axe on ${new URL(page.url()).pathname}`).toEqual([])
}
