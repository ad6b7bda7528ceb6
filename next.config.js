import { PHASE_PRODUCTION_BUILD } from 'next/constants.js'

/** Said of every answer. The Content-Security-Policy of pages carries a nonce and comes from middleware.ts. */
const HEADERS = [
  { key: 'Strict-Transport-Security', value: 'max-age=63072000; includeSubDomains; preload' },
  { key: 'X-Content-Type-Options', value: 'nosniff' },
  { key: 'X-Frame-Options', value: 'DENY' },
  { key: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
  // Not `same-origin`: a 3-D Secure page may open a window of its own.
  { key: 'Cross-Origin-Opener-Policy', value: 'same-origin-allow-popups' },
  { key: 'Cross-Origin-Resource-Policy', value: 'same-origin' },
  {
    key: 'Permissions-Policy',
    value: 'camera=(), geolocation=(), microphone=(), usb=(), browsing-topics=()',
  },
]

/** Nothing an API answers, and no built file, is a document. */
const NO_DOCUMENT = [{ key: 'Content-Security-Policy', value: "default-src 'none'; frame-ancestors 'none'" }]

/** @type {import('next').NextConfig} */
const config = {
  poweredByHeader: false,
  reactStrictMode: true,
  productionBrowserSourceMaps: false,
  // No picture is resized on the fly, so the address that would do it answers nobody.
  images: { unoptimized: true },
  // As much as lib/edge/route-table.ts allows a form.
  experimental: { serverActions: { bodySizeLimit: '64kb' } },
  // Once a process: pages and routes share one pool, and know its errors by their class.
  serverExternalPackages: ['postgres', 'nodemailer'],
  // `npm run check` checks the types of the whole tree; the build need not do it a second time.
  typescript: { ignoreBuildErrors: true },
  headers: async () => [
    { source: '/:path*', headers: HEADERS },
    { source: '/api/:path*', headers: NO_DOCUMENT },
    { source: '/_next/static/:path*', headers: NO_DOCUMENT },
  ],
}

/** A build fails while the route table does not list every page, handler and action. */
export default async function configFor(phase) {
  if (phase === PHASE_PRODUCTION_BUILD) {
    const { routeProblems } = await import('./scripts/route-inventory.ts')
    const problems = routeProblems(import.meta.dirname)
    if (problems.length > 0) throw new Error(`The route table is not complete:\n  ${problems.join('\n  ')}`)
  }
  return config
}
