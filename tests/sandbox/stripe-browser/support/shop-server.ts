import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Hono } from 'hono'
import { listen } from '../../../../sandbox/listen.ts'

export type Shop = {
  origin: string
  /** Address, headers and body of every request this origin was sent, as one text each. */
  received: string[]
  close(): Promise<void>
}

const NONCE = 'dGVzdC1ub25jZQ'

let bundle: Promise<string> | null = null

/** The shop's page on `localhost`, under the strict policy the app uses. `stripeOrigin()` is asked per request. */
export async function startShop(stripeOrigin: () => string): Promise<Shop> {
  bundle ??= bundlePage()
  const script = await bundle
  const received: string[] = []
  const shop = new Hono()
  shop.use(async (c, next) => {
    const headers = JSON.stringify(c.req.header())
    received.push(`${c.req.method} ${c.req.url} ${headers} ${await c.req.raw.clone().text()}`)
    await next()
    c.header('content-security-policy', policy(stripeOrigin()))
  })
  shop.get('/', (c) => c.html(page('<div id="root"></div><script nonce="NONCE" src="/page.js"></script>')))
  shop.get('/page.js', (c) => c.body(script, 200, { 'content-type': 'text/javascript' }))
  shop.get('/return', (c) => c.html(page('<p>Back in the shop</p>')))
  /** Frames any address, as a page of another site would. */
  shop.get('/framing', (c) => c.html(page(`<iframe title="framed" src="${c.req.query('url')}"></iframe>`)))
  shop.get('/favicon.ico', (c) => c.body(null, 204))
  const { port, close } = await listen(shop.fetch, 0)
  return { origin: `http://localhost:${port}`, received, close }
}

async function bundlePage(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('./shop-page.tsx', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'error',
  })
  return result.outputFiles[0]?.text ?? ''
}

function policy(stripeOrigin: string): string {
  return [
    "default-src 'self'",
    `script-src 'nonce-${NONCE}' 'strict-dynamic'`,
    `style-src 'nonce-${NONCE}'`,
    "connect-src 'self'",
    `frame-src ${stripeOrigin}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ')
}

function page(body: string): string {
  return `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Test shop</title>
  <style nonce="${NONCE}">:root { color-scheme: light dark } body { margin: 16px; font: 16px system-ui }</style></head>
  <body><main><h1>Test shop</h1>${body.replaceAll('NONCE', NONCE)}</main></body>
</html>`
}
