import type { LimitName } from './limits'

/** Who gets an answer other than a refusal. Every page, action and handler makes sure of it by itself. */
export type Caller =
  | 'anyone'
  | 'customer'
  | 'support'
  | 'admin'
  | 'auditor'
  /** Knows CRON_SECRET. */
  | 'cron'
  /** Signs with the webhook's secret. */
  | 'stripe'
  | 'api_key'

/**
 * What happens while Redis cannot be asked. `open`: nobody is counted. `local`: each process counts for itself.
 * `closed`: 503.
 */
export type Outage = 'open' | 'local' | 'closed'

type Gates = {
  callers: readonly Caller[]
  /** What is counted before anything else happens; empty only with a reason in `unlimited`. */
  limits: readonly LimitName[]
  unlimited?: string
  /** Limits that the domain takes itself, because only it knows whether this one counts. */
  inside?: readonly LimitName[]
  outage: Outage
  /** `origin`: refused unless it comes from our own pages. `safe`: changes nothing. `secret`: no cookie is read. */
  csrf: 'origin' | 'safe' | 'secret'
  cache: 'no-store'
  maxBodyBytes: number
}

export type HandlerRule = Gates & {
  /** Whether browsers on ALLOWED_ORIGINS may call it. */
  cors: boolean
  /** Whether middleware.ts sees it. What it does not see is counted by route(). */
  middleware: boolean
}
export type PageRule = Gates
export type ActionRule = Gates

const KIB = 1024

const page = (...callers: Caller[]): PageRule => ({
  callers,
  limits: ['pages'],
  outage: 'open',
  csrf: 'safe',
  cache: 'no-store',
  maxBodyBytes: 0,
})

const action = (callers: Caller[], limits: LimitName[]): ActionRule => ({
  callers,
  limits,
  outage: 'local',
  csrf: 'origin',
  cache: 'no-store',
  // next.config.js says the same to Next.
  maxBodyBytes: 64 * KIB,
})

/** A JSON address that shows something. */
const read = (...callers: Caller[]): HandlerRule => ({
  callers,
  limits: ['reads', 'read-burst'],
  outage: 'open',
  csrf: 'safe',
  cache: 'no-store',
  cors: true,
  middleware: true,
  maxBodyBytes: 0,
})

/** A JSON address that changes something, for people with a session. */
const write = (callers: Caller[], rest: Partial<HandlerRule> & { outage: Outage }): HandlerRule => ({
  callers,
  csrf: 'origin',
  cache: 'no-store',
  cors: false,
  middleware: true,
  maxBodyBytes: 64 * KIB,
  ...rest,
  limits: ['writes', 'write-burst', ...(rest.limits ?? [])],
})

/** Staff look at something. Limits do not get in their way while Redis is away. */
const staffRead = (...callers: Caller[]): HandlerRule => ({
  ...read(...callers),
  limits: ['reads', 'read-burst', 'staffing'],
  outage: 'local',
  cors: false,
})

/** Staff do something. `local`: on a bad day, Redis may be what is bad about it. */
const staffWrite = (...callers: Caller[]): HandlerRule =>
  write(callers, { limits: ['staffing'], outage: 'local' })

/** Another system, by its key. */
const api: Pick<HandlerRule, 'callers' | 'limits' | 'outage' | 'csrf' | 'cors'> = {
  callers: ['api_key'],
  limits: ['api-address', 'api-key'],
  outage: 'local',
  csrf: 'secret',
  cors: false,
}

const job: HandlerRule = {
  callers: ['cron'],
  limits: [],
  unlimited: 'Without its secret it answers before it does anything; with it, one run goes on at a time.',
  outage: 'open',
  csrf: 'secret',
  cache: 'no-store',
  cors: false,
  middleware: false,
  maxBodyBytes: 0,
}

/** Every route handler: method and address, spelled as its folders in app/. */
export const HANDLERS = {
  'POST /api/payments/create-payment-intent': write(['customer'], {
    limits: ['starting'],
    inside: ['new-payments', 'new-payments-address'],
    outage: 'local',
    cors: true,
  }),
  'POST /api/payments/webhook': {
    ...job,
    callers: ['stripe'],
    unlimited: 'A payment that Stripe reports is never turned away, and Redis is not asked on this path.',
    maxBodyBytes: 1024 * KIB,
  },
  'GET /api/payments/history': { ...read('customer'), inside: ['csv-exports'] },
  'GET /api/payments/[id]': read('customer'),
  'POST /api/payments/[id]/sync': write(['customer'], { limits: ['syncing'], outage: 'local', cors: true }),
  'POST /api/payments/[id]/refunds': write(['support', 'admin'], { limits: ['refunding'], outage: 'closed' }),
  'GET /api/payment-methods': {
    ...read('customer'),
    limits: ['reads', 'read-burst', 'cards'],
    outage: 'local',
  },
  'POST /api/payment-methods': write(['customer'], {
    limits: ['cards'],
    inside: ['new-cards', 'new-cards-address'],
    outage: 'local',
  }),
  'POST /api/payment-methods/sessions': write(['customer'], { limits: ['cards'], outage: 'local' }),
  'PUT /api/payment-methods/[id]/default': write(['customer'], { limits: ['cards'], outage: 'local' }),
  'DELETE /api/payment-methods/[id]': write(['customer'], { limits: ['cards'], outage: 'local' }),
  'POST /api/orders/[id]/cancellation': write(['customer'], {
    limits: ['canceling'],
    outage: 'local',
    cors: true,
  }),
  'POST /api/privacy/exports': write(['customer'], { limits: ['exporting'], outage: 'closed' }),
  'POST /api/privacy/erasure': write(['customer'], { limits: ['leaving'], outage: 'closed' }),
  'POST /api/orders/[id]/claim': write(['customer'], { limits: ['ordering'], outage: 'local' }),
  'GET /api/admin/payment-requests': staffRead('support', 'auditor', 'admin'),
  'POST /api/admin/payment-requests': staffWrite('support', 'admin'),
  'POST /api/admin/payment-requests/[id]/cancellation': staffWrite('support', 'admin'),
  'GET /api/admin/events': staffRead('support', 'auditor', 'admin'),
  'POST /api/admin/replays': staffWrite('support', 'admin'),
  'GET /api/admin/switches': staffRead('support', 'auditor', 'admin'),
  'PUT /api/admin/switches/[name]': staffWrite('admin'),
  'GET /api/admin/payment-limits': staffRead('support', 'auditor', 'admin'),
  'PUT /api/admin/payment-limits/[rule]': staffWrite('admin'),
  'GET /api/admin/staff': staffRead('auditor', 'admin'),
  'PUT /api/admin/staff/[userId]': staffWrite('admin'),
  'GET /api/admin/api-keys': staffRead('auditor', 'admin'),
  'POST /api/admin/api-keys': staffWrite('admin'),
  'POST /api/admin/api-keys/[id]/revocation': staffWrite('admin'),
  'POST /api/orders': { ...write([], { outage: 'local' }), ...api },
  'GET /api/orders/[id]': { ...read(), ...api },
  'GET /api/billing/entitlements': { ...read(), ...api },
  'POST /api/billing/checkouts': write(['customer'], { limits: ['subscribing'], outage: 'local' }),
  'POST /api/billing/portal-sessions': write(['customer'], { limits: ['subscribing'], outage: 'local' }),
  'POST /api/billing/invoices/[id]/payment': write(['customer'], {
    limits: ['subscribing'],
    outage: 'local',
  }),
  'POST /api/session': write(['anyone'], { inside: ['sign-in', 'sign-in-address'], outage: 'local' }),
  'POST /api/cron/sweep': job,
  'POST /api/cron/cards': job,
  'POST /api/cron/seal': job,
  'POST /api/cron/reconcile': job,
  'POST /api/cron/retention': job,
  'POST /api/csp-reports': {
    callers: ['anyone'],
    limits: ['csp-reports'],
    outage: 'local',
    // It writes a line into the log and reads no cookie.
    csrf: 'safe',
    cache: 'no-store',
    cors: false,
    middleware: false,
    maxBodyBytes: 8 * KIB,
  },
  'POST /api/cron/sessions': job,
  'POST /api/cron/outbox': job,
  'POST /api/cron/grace': job,
  'GET /api/health': {
    ...read('anyone'),
    limits: [],
    unlimited: 'One answer serves everybody for two seconds.',
    cors: false,
    middleware: false,
  },
} as const satisfies Record<string, HandlerRule>

/** Every page. What it shows is the visitor's own, so a stranger gets the sign-in page or a 404. */
export const PAGES = {
  '/': page('anyone'),
  '/sign-in': page('anyone'),
  '/sign-up': page('anyone'),
  '/forgotten-password': page('anyone'),
  '/check-your-mail': page('anyone'),
  '/auth/confirm': page('anyone'),
  '/new-password': page('anyone'),
  '/confirm-password': page('customer'),
  '/checkout/[orderId]': page('customer'),
  '/orders/[orderId]': page('customer'),
  '/cards': page('customer'),
  '/cards/new': page('customer'),
  '/privacy': page('customer'),
  '/account-deleted': page('anyone'),
  '/plans': page('anyone'),
  '/subscription': page('customer'),
  '/checkout/invoices/[invoiceId]': page('customer'),
  '/payments': page('customer'),
  '/payments/[paymentId]': page('customer'),
  '/payments/[paymentId]/receipt': page('customer'),
  '/payments/[paymentId]/result': page('customer'),
} as const satisfies Record<string, PageRule>

/** Every server action, by the name it is exported under. */
export const ACTIONS = {
  signUpAction: action(['anyone'], ['sign-up', 'sign-up-address']),
  requestPasswordResetAction: action(['anyone'], ['recovery', 'recovery-address']),
  setNewPasswordAction: action(['customer'], ['new-passwords']),
  confirmAction: action(['anyone'], ['mail-links']),
  signOutAction: {
    ...action(['anyone'], []),
    unlimited: 'Whoever wants to leave may; the form itself is counted by middleware.ts.',
  },
  createOrderAction: action(['customer'], ['ordering']),
} as const satisfies Record<string, ActionRule>

/** Any form sent to any page, before it is known which action it asks for. */
export const FORMS: PageRule = {
  ...page('anyone'),
  limits: ['forms'],
  outage: 'local',
  csrf: 'origin',
  maxBodyBytes: 64 * KIB,
}

export type HandlerName = keyof typeof HANDLERS
export type ActionName = keyof typeof ACTIONS
