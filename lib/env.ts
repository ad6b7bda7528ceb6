import { z } from 'zod'

/** The Stripe API version every request and every webhook endpoint is pinned to. */
export const STRIPE_API_VERSION = '2026-10-28.endive'

/** Where money is: a stand-in on this machine, Stripe's test mode, or real. Decided from the keys, never from NODE_ENV. */
export type Mode = 'sandbox' | 'test' | 'live'

export class EnvError extends Error {
  readonly problems: string[]

  /** @param problems one line per setting: its name and what is wrong with it, never its value. */
  constructor(problems: string[]) {
    super(`Settings are not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.name = 'EnvError'
    this.problems = problems
  }
}

const secret = (prefixes: RegExp, hint: string) =>
  z
    .string({ error: 'is missing' })
    .refine((value) => prefixes.test(value), `must ${hint}`)
    .refine(printable, 'holds white space or a line break')

const url = (protocols: string[]) =>
  z.string({ error: 'is missing' }).refine(
    (value) => {
      const parsed = URL.parse(value)
      return parsed !== null && protocols.includes(parsed.protocol)
    },
    `must be an address starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  )

const token = z
  .string({ error: 'is missing' })
  .min(16, 'is shorter than 16 characters')
  .refine(printable, 'holds white space or a line break')

const origin = url(['http:', 'https:']).refine(
  (value) => URL.parse(value)?.origin === value,
  'must be an origin alone: no path, no slash at the end',
)

/** A server and how to sign in there, nothing more: what else a library would read from it is decided in lib/mails/smtp.ts. */
const smtpServer = url(['smtp:', 'smtps:']).refine((value) => {
  const parsed = URL.parse(value)
  return parsed?.hostname && /^\/?$/.test(parsed.pathname) && !parsed.search && !parsed.hash
}, 'must be smtp(s)://user:password@host:port and no more')

const sender = z
  .string({ error: 'is missing' })
  .refine(
    (value) => /^([^\s<>@][^<>@\p{Cc}]* <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u.test(value),
    'must be a mail address, or a name and <a mail address>',
  )

/** A browser sends `null` from where it will not say, and nobody ever sends `*`: both are no origins. */
const origins = z
  .string()
  .transform((value) => value.split(',').map((part) => part.trim()))
  .pipe(z.array(origin, 'must be origins with a comma between them'))

const Settings = z.object({
  APP_ORIGIN: origin,
  ALLOWED_ORIGINS: origins.default([]),
  STRIPE_SECRET_KEY: secret(
    /^(sk|rk)_(test|live)_\S+$/,
    'start with sk_test_, rk_test_, sk_live_ or rk_live_',
  ),
  STRIPE_PUBLISHABLE_KEY: secret(/^pk_(test|live)_\S+$/, 'start with pk_test_ or pk_live_'),
  STRIPE_WEBHOOK_SECRET: secret(/^whsec_\S{8,}$/, 'start with whsec_'),
  STRIPE_WEBHOOK_SECRET_PREVIOUS: secret(/^whsec_\S{8,}$/, 'start with whsec_').optional(),
  STRIPE_ACCOUNT_ID: secret(/^acct_\S+$/, 'start with acct_').optional(),
  STRIPE_API_BASE: url(['http:', 'https:']).optional(),
  SUPABASE_URL: origin,
  SUPABASE_PUBLISHABLE_KEY: token.refine(
    (value) => !bypassesPolicies(value),
    'is a key that bypasses row-level security: use the publishable one',
  ),
  DATABASE_URL: url(['postgres:', 'postgresql:']),
  UPSTASH_REDIS_REST_URL: url(['http:', 'https:']),
  UPSTASH_REDIS_REST_TOKEN: token,
  REDIS_TIMEOUT_MS: z.coerce.number().int('must be a whole number').min(50).max(5_000).default(300),
  SMTP_URL: smtpServer,
  MAIL_FROM: sender,
  CRON_SECRET: token,
  CRON_SECRET_PREVIOUS: token.optional(),
  TRUSTED_PROXY_HOPS: z.coerce.number().int('must be a whole number').min(0).max(5).default(0),
  CRASH_AT: z.string().optional(),
  CRASH_BY: z.enum(['SIGKILL', 'SIGSTOP']).default('SIGKILL'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  NODE_ENV: z.string().optional(),
  VERCEL_ENV: z.string().optional(),
})

export type Env = ReturnType<typeof readEnv>

/**
 * Validate every setting at once and decide the mode.
 * @throws EnvError naming each setting that is missing or wrong, without its value.
 */
export function readEnv(source: Record<string, string | undefined>) {
  const given = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = Settings.safeParse(given)
  if (!parsed.success) {
    throw new EnvError(parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`))
  }

  const settings = parsed.data
  const problems = [...mixedKeys(settings), ...openLines(settings)]
  if (problems.length > 0) throw new EnvError(problems)

  const mode = modeOf(settings.STRIPE_SECRET_KEY)
  return {
    mode,
    livemode: mode === 'live',
    appOrigin: settings.APP_ORIGIN,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    isHttps: settings.APP_ORIGIN.startsWith('https:'),
    logLevel: settings.LOG_LEVEL,
    trustedProxyHops: settings.TRUSTED_PROXY_HOPS,
    cronSecrets: { current: settings.CRON_SECRET, previous: settings.CRON_SECRET_PREVIOUS },
    crashAt: settings.CRASH_AT ?? null,
    crashBy: settings.CRASH_BY,
    stripe: {
      secretKey: settings.STRIPE_SECRET_KEY,
      publishableKey: settings.STRIPE_PUBLISHABLE_KEY,
      webhookSecrets: {
        current: settings.STRIPE_WEBHOOK_SECRET,
        previous: settings.STRIPE_WEBHOOK_SECRET_PREVIOUS,
      },
      accountId: settings.STRIPE_ACCOUNT_ID ?? null,
      apiBase: settings.STRIPE_API_BASE ?? null,
    },
    supabase: { url: settings.SUPABASE_URL, publishableKey: settings.SUPABASE_PUBLISHABLE_KEY },
    databaseUrl: settings.DATABASE_URL,
    smtp: smtpOf(settings),
    redis: {
      url: settings.UPSTASH_REDIS_REST_URL,
      token: settings.UPSTASH_REDIS_REST_TOKEN,
      timeoutMs: settings.REDIS_TIMEOUT_MS,
    },
  }
}

let cached: Env | undefined

/** The settings of this process, validated on first use: a build needs none. */
export function env(): Env {
  cached ??= readEnv(process.env)
  return cached
}

function modeOf(secretKey: string): Mode {
  if (secretKey.startsWith('sk_test_local_')) return 'sandbox'
  return /^(sk|rk)_live_/.test(secretKey) ? 'live' : 'test'
}

type Parsed = z.infer<typeof Settings>

/** Outside this machine nothing is said to the mail server before the line is encrypted. */
function smtpOf({ SMTP_URL, MAIL_FROM }: Parsed) {
  const { protocol, hostname, port, username, password } = new URL(SMTP_URL)
  const isEncrypted = protocol === 'smtps:'
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (isEncrypted ? 465 : 587),
    isEncrypted,
    mustEncrypt: !isLoopback(SMTP_URL),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    from: MAIL_FROM,
  }
}

/** Live with test, local with real: each such mix would send money or secrets to the wrong place. */
function mixedKeys(settings: Parsed): string[] {
  const problems: string[] = []
  const mode = modeOf(settings.STRIPE_SECRET_KEY)
  const base = settings.STRIPE_API_BASE
  const isPublishableLive = settings.STRIPE_PUBLISHABLE_KEY.startsWith('pk_live_')
  const isPublishableLocal = settings.STRIPE_PUBLISHABLE_KEY.startsWith('pk_test_local_')

  if (isPublishableLive !== (mode === 'live') || isPublishableLocal !== (mode === 'sandbox')) {
    problems.push('STRIPE_PUBLISHABLE_KEY is of another mode than STRIPE_SECRET_KEY')
  }
  if (mode === 'sandbox' && (!base || !isLoopback(base))) {
    problems.push('STRIPE_API_BASE must be an address on this machine when STRIPE_SECRET_KEY is a local key')
  }
  if (mode === 'sandbox' && !isLoopback(settings.APP_ORIGIN)) {
    problems.push('APP_ORIGIN must be on this machine when STRIPE_SECRET_KEY is a local key')
  }
  if (mode !== 'sandbox' && base) {
    problems.push('STRIPE_API_BASE must be empty unless STRIPE_SECRET_KEY is a local key')
  }
  if (mode === 'live' && settings.NODE_ENV !== 'production') {
    problems.push('STRIPE_SECRET_KEY is a live key, and this is not a production build (NODE_ENV)')
  }
  if (mode !== 'sandbox' && settings.CRASH_AT) {
    problems.push('CRASH_AT is for tests with the local providers only')
  }
  if (settings.VERCEL_ENV && (mode === 'live') !== (settings.VERCEL_ENV === 'production')) {
    problems.push('STRIPE_SECRET_KEY and VERCEL_ENV disagree: live keys belong to production and only there')
  }
  if (settings.STRIPE_WEBHOOK_SECRET_PREVIOUS === settings.STRIPE_WEBHOOK_SECRET) {
    problems.push('STRIPE_WEBHOOK_SECRET_PREVIOUS is the same as STRIPE_WEBHOOK_SECRET')
  }
  if (settings.CRON_SECRET_PREVIOUS === settings.CRON_SECRET) {
    problems.push('CRON_SECRET_PREVIOUS is the same as CRON_SECRET')
  }
  return problems
}

/** Nothing leaves this machine unencrypted. */
function openLines(settings: Parsed): string[] {
  const overHttp = (['APP_ORIGIN', 'SUPABASE_URL', 'UPSTASH_REDIS_REST_URL'] as const).filter(
    (name) => settings[name].startsWith('http:') && !isLoopback(settings[name]),
  )
  const problems = overHttp.map((name) => `${name} must use https outside this machine`)
  if (settings.ALLOWED_ORIGINS.some((value) => value.startsWith('http:') && !isLoopback(value))) {
    problems.push('ALLOWED_ORIGINS must use https outside this machine')
  }
  const database = new URL(settings.DATABASE_URL)
  // `require` encrypts to whoever answers; only `verify-full` makes sure who that is.
  if (!isLoopback(settings.DATABASE_URL) && database.searchParams.get('sslmode') !== 'verify-full') {
    problems.push('DATABASE_URL must say sslmode=verify-full outside this machine')
  }
  if (database.searchParams.has('host')) {
    problems.push('DATABASE_URL must name its host before the path, not in a parameter')
  }
  // A pooler wants the project behind the name: payments_service.<project>.
  if (!/^payments_service(\.|$)/.test(database.username)) {
    problems.push('DATABASE_URL must sign in as payments_service')
  }
  return problems
}

function isLoopback(address: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(address).hostname)
}

/** A secret key of the project, in its new form or as a token that names the role. */
function bypassesPolicies(key: string): boolean {
  if (key.startsWith('sb_secret_')) return true
  try {
    return JSON.parse(atob(key.split('.')[1] ?? '')).role === 'service_role'
  } catch {
    return false
  }
}

function printable(value: string): boolean {
  return !/[\s\p{Cc}]/u.test(value)
}
