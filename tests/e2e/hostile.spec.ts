import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { adminSql } from '../support/db'
import { stack } from '../support/stack-in-test'
import { expect, test } from './fixtures'
import { signUp } from './journeys'

const url = (path: string) => `${stack().appOrigin}${path}`

const RUN = 'window.hacked=1'
const PAYLOADS = [
  `<script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `</title><script>${RUN}</script>`,
  `--><script>${RUN}</script>`,
  `]]><script>${RUN}</script>`,
  `<scr<script>ipt>${RUN}</script>`,
  `<SCRIPT SRC=data:text/javascript,${RUN}></SCRIPT>`,
  `<img src=x onerror=${RUN}>`,
  `"><img src=x onerror=${RUN}>`,
  `'><img src=x onerror='${RUN}'>`,
  `<img src=x onerror="${RUN}" `,
  `<svg onload=${RUN}>`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<body onload=${RUN}>`,
  `<input autofocus onfocus=${RUN}>`,
  `<details open ontoggle=${RUN}>`,
  `<video><source onerror=${RUN}></video>`,
  `<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>`,
  `<iframe src="javascript:parent.hacked=1"></iframe>`,
  `<a href="javascript:${RUN}" autofocus>press</a>`,
  `<form action="javascript:${RUN}"><button autofocus>press</button></form>`,
  `<base href="https://evil.example/">`,
  `<meta http-equiv="refresh" content="0;url=https://evil.example/">`,
  `<link rel=stylesheet href=//evil.example/x.css>`,
  `<style>*{background:url(//evil.example)}</style>`,
  `<math><mtext><img src=x onerror=${RUN}></mtext></math>`,
  `{{constructor.constructor('${RUN}')()}}`,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant to be shown as it stands
  '${window.hacked=1}',
  `\u2028<script>${RUN}</script>\u2029`,
  `javascript:${RUN}`,
  `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e`,
]

test.describe('thirty hostile strings', () => {
  test.beforeAll(async () => {
    for (const [index, payload] of PAYLOADS.entries()) {
      await adminSql()`
        insert into public.products (name, description, amount_minor, currency, position)
        values (${`${index} ${payload}`.slice(0, 120)}, ${payload}, 1000, 'eur', ${1000 + index})`
    }
  })

  test.afterAll(async () => {
    await adminSql()`update public.products set active = false where position >= 1000`
  })

  test('in names and descriptions are shown as text, in the catalogue and in an order (H14)', async ({
    page,
  }) => {
    await signUp(page)
    await page.goto(url('/'))
    for (const payload of PAYLOADS)
      await expect(page.getByText(payload.trim(), { exact: true }).first()).toBeVisible()

    const button = page.getByRole('button', { name: `Order 0 ${PAYLOADS[0]}` })
    await button.click()
    await page.waitForURL('**/orders/*')
    await expect(page.getByRole('main')).toContainText(PAYLOADS[0] ?? '')

    expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
  })

  test('in addresses run nothing and lead nowhere else (H14)', async ({ page }) => {
    const ADDRESSES: ((text: string) => string)[] = [
      (text) => `/sign-in?next=${text}&error=${text}`,
      (text) => `/check-your-mail?email=${text}`,
      (text) => `/auth/confirm?token_hash=${text}&type=${text}`,
      (text) => `/payments/${text}`,
    ]
    for (const [index, payload] of PAYLOADS.entries()) {
      const path = ADDRESSES[index % ADDRESSES.length]?.(encodeURIComponent(payload)) ?? '/'
      await page.goto(url(path), { waitUntil: 'domcontentloaded' })
      expect(new URL(page.url()).origin, path).toBe(stack().appOrigin)
      expect(await page.evaluate(() => 'hacked' in window), path).toBe(false)
      expect(await page.locator('main iframe, main [onerror], base').count(), path).toBe(0)
    }
  })
})

test('no other site can show the app in a frame (H10)', async ({ page, watched }) => {
  const html = `<iframe src="${url('/sign-in')}" title="framed"></iframe>`
  const evil = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(html)
  })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))

  await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
  await page.waitForLoadState('networkidle')

  await expect.poll(() => watched.refused.length).toBeGreaterThan(0)
  watched.refused.length = 0
  await expect(page.frameLocator('iframe').getByRole('button', { name: 'Sign in' })).toHaveCount(0)
  evil.closeAllConnections()
  evil.close()
})
