import { join } from 'node:path'
import { App } from '@supabase/lite'
import { createPostgresConnection } from '@supabase/lite/postgres'
import postgres from 'postgres'
import { createJsonArguments, type JsonArguments } from './json-arguments.ts'
import { createMailDriver } from './mail-driver.ts'

/** The engine behind the front: Auth- and REST-compatible, without what hosted has around them. */
export type Engine = {
  fetch(request: Request, peerAddress: string | undefined): Promise<Response>
  /** The same database, as the superuser, for what the front does itself. */
  sql: postgres.Sql
  jsonArguments: JsonArguments
  /** What it signs its own tokens with (HS256); the front swaps them for real ones at the door. */
  innerSecret: string
  close(): Promise<void>
}

export type EngineConfig = {
  databaseUrl: string
  appOrigin: string
  innerSecret: string
  publishableKey: string
  secretKey: string
  accessTokenSeconds: number
  mailLinkSeconds: number
  mailboxUrl: string
  mailboxSecret: string
}

const TEMPLATES = join(import.meta.dirname, '../../supabase/templates')

export const MINIMUM_PASSWORD_LENGTH = 12

export async function startEngine(config: EngineConfig): Promise<Engine> {
  const connection = createPostgresConnection({
    url: config.databaseUrl,
    postgresOptions: {
      max: 20,
      onnotice: () => {},
      connect_timeout: 5,
      // Its own serializers would encode arguments of type json twice: they get texts that are JSON already.
      types: { json: jsonType(114), jsonb: jsonType(3802), timestamptz: timestampType(1184) },
    },
  })
  // "Unknown" would make the first request grant every table to anon and authenticated. The rights of tables
  // belong to the migrations; this says that roles are set up and are to be switched for each request.
  Object.assign(connection, { rlsState: 'active' })

  const app = new App({
    connection,
    api: { enabled: true, schemas: ['public'] },
    storage: { enabled: false },
    studio: { enabled: false },
    auth: {
      enabled: true,
      enable_signup: true,
      site_url: config.appOrigin,
      jwt_secret: config.innerSecret,
      jwt_expiry: config.accessTokenSeconds,
      publishable_key: config.publishableKey,
      secret_key: config.secretKey,
      minimum_password_length: MINIMUM_PASSWORD_LENGTH,
      enable_refresh_token_rotation: true,
      email: {
        enable_signup: true,
        enable_confirmations: true,
        otp_expiry: config.mailLinkSeconds,
        template: {
          confirmation: {
            subject: 'Confirm your e-mail address',
            content_path: join(TEMPLATES, 'confirmation.html'),
          },
          recovery: { subject: 'Choose a new password', content_path: join(TEMPLATES, 'recovery.html') },
        },
      },
    },
    options: {
      drivers: { email: createMailDriver({ url: config.mailboxUrl, secret: config.mailboxSecret }) },
    },
  })
  await app.init()

  const sql = postgres(config.databaseUrl, { max: 8, onnotice: () => {}, connect_timeout: 5 })
  // As on hosted: `notify pgrst, 'reload schema'` makes the REST side look at the tables anew.
  const jsonArguments = createJsonArguments(sql)
  const forget = () => {
    jsonArguments.forget()
    void connection.clearSchemaCache().catch(() => {})
  }
  await sql.listen('pgrst', forget, forget)

  return {
    fetch: async (request, peerAddress) => app.fetch(request, { peerAddress: peerAddress ?? null }),
    sql,
    jsonArguments,
    innerSecret: config.innerSecret,
    async close() {
      await sql.end({ timeout: 2 })
      await connection.driver.end({ timeout: 2 })
    },
  }
}

/** Hosted writes times as ISO 8601 to the microsecond; the engine would hand on Postgres' own notation. */
function timestampType(oid: number) {
  return {
    to: oid,
    from: [oid],
    serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value),
    parse: (text: string) => text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'),
  }
}

function jsonType(oid: number) {
  return {
    to: oid,
    from: [oid],
    serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
    parse: (text: string): unknown => JSON.parse(text),
  }
}
