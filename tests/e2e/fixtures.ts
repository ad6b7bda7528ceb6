import { type BrowserContext, test as base, expect, type Page } from '@playwright/test'
import type { StackFacts } from '../support/stack'
import { stack } from '../support/stack-in-test'

export { expect }

type Fixtures = {
  /** Where the app, the mailbox and the providers of this run are. */
  stack: StackFacts
  /** A console error that belongs to the story, such as the browser's own line about an answer of 402. */
  expectConsoleError(pattern: RegExp): void
  /** A page of somebody else: own cookies, same watch. */
  newVisitor(): Promise<Page>
  trouble: Trouble
}

type Trouble = { lines: string[]; expected: RegExp[] }

/** Fails a test on an unexpected console error, an uncaught exception, or a request that would leave this machine. */
export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures a fixture needs from this pattern.
  stack: async ({}, use) => use(stack()),

  baseURL: async ({ stack }, use) => use(stack.appOrigin),

  trouble: [
    // biome-ignore lint/correctness/noEmptyPattern: as above.
    async ({}, use) => {
      const trouble: Trouble = { lines: [], expected: [] }
      await use(trouble)
      const unexpected = trouble.lines.filter(
        (line) => !trouble.expected.some((pattern) => pattern.test(line)),
      )
      expect(unexpected, 'console errors, exceptions and requests to elsewhere').toEqual([])
    },
    { auto: true },
  ],

  context: async ({ context, trouble }, use) => {
    await watch(context, trouble)
    await use(context)
  },

  expectConsoleError: async ({ trouble }, use) => use((pattern) => void trouble.expected.push(pattern)),

  newVisitor: async ({ browser, trouble, contextOptions, baseURL }, use) => {
    const contexts: BrowserContext[] = []
    await use(async () => {
      const context = await browser.newContext({ ...contextOptions, baseURL })
      contexts.push(context)
      await watch(context, trouble)
      return await context.newPage()
    })
    await Promise.all(contexts.map((context) => context.close()))
  },
})

async function watch(context: BrowserContext, trouble: Trouble): Promise<void> {
  context.on('console', (message) => {
    if (message.type() !== 'error') return
    trouble.lines.push(`console: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (webError) => {
    trouble.lines.push(`exception: ${webError.error().stack ?? webError.error().message}`)
  })
  await context.route(leavesMachine, async (route) => {
    trouble.lines.push(`request to elsewhere: ${route.request().url()}`)
    await route.abort()
  })
  await context.routeWebSocket(leavesMachine, (socket) => {
    trouble.lines.push(`socket to elsewhere: ${socket.url()}`)
  })
}

function leavesMachine(url: URL): boolean {
  return /^(https?|wss?):$/.test(url.protocol) && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
}
