import { takesCards } from '../takes-cards'

const REPORTS = '/api/csp-reports'
export const REPORTING_ENDPOINTS = `csp="${REPORTS}"`

export type CspOptions = {
  path: string
  nonce: string
  isHttps: boolean
  /** `next dev` evaluates code and opens a web socket; a production build does neither. */
  isDevelopment: boolean
  /** The local stand-in's origin, or null for Stripe itself. */
  localStripeOrigin: string | null
}

/**
 * The Content-Security-Policy of a page. Stripe's own hosts per directive: docs.stripe.com/security/guide, "Content
 * security policy".
 */
export function contentSecurityPolicy({
  path,
  nonce,
  isHttps,
  isDevelopment,
  localStripeOrigin,
}: CspOptions): string {
  const stripe = takesCards(path) ? stripeHosts(localStripeOrigin) : { script: [], frame: [], connect: [] }
  const directives: Record<string, string[]> = {
    'default-src': ["'none'"],
    'script-src': [
      `'nonce-${nonce}'`,
      "'strict-dynamic'",
      ...stripe.script,
      ...(isDevelopment ? ["'unsafe-eval'"] : []),
    ],
    // Development tools inject styles without a nonce.
    'style-src': isDevelopment ? ["'self'", "'unsafe-inline'"] : ["'self'", `'nonce-${nonce}'`],
    'img-src': ["'self'", 'data:'],
    'font-src': ["'self'"],
    'connect-src': ["'self'", ...stripe.connect, ...(isDevelopment ? ['ws:'] : [])],
    'frame-src': stripe.frame.length > 0 ? stripe.frame : ["'none'"],
    'manifest-src': ["'self'"],
    'form-action': ["'self'"],
    'base-uri': ["'none'"],
    'object-src': ["'none'"],
    'frame-ancestors': ["'none'"],
    ...(isHttps && { 'upgrade-insecure-requests': [] }),
    // Older browsers know the address, newer ones the name that REPORTING_ENDPOINTS gives it.
    'report-uri': [REPORTS],
    'report-to': ['csp'],
  }
  return Object.entries(directives)
    .map(([name, values]) => [name, ...values].join(' '))
    .join('; ')
}

function stripeHosts(localOrigin: string | null): { script: string[]; frame: string[]; connect: string[] } {
  // The stand-in makes its calls inside its own frames, so pages need no connection to it.
  if (localOrigin) return { script: [localOrigin], frame: [localOrigin], connect: [] }
  return {
    script: ['https://js.stripe.com', 'https://*.js.stripe.com'],
    frame: ['https://js.stripe.com', 'https://*.js.stripe.com', 'https://hooks.stripe.com'],
    connect: ['https://api.stripe.com'],
  }
}
