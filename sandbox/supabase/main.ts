import { stayOnThisMachine } from '../local-only.ts'
import { numberSetting, runPart, setting } from '../part.ts'
import { startSupabase } from './server.ts'

stayOnThisMachine()

await runPart(() =>
  startSupabase({
    port: numberSetting('SANDBOX_SUPABASE_PORT'),
    databaseUrl: setting('SANDBOX_SUPABASE_DATABASE_URL'),
    appOrigin: setting('APP_ORIGIN'),
    innerSecret: setting('SANDBOX_SUPABASE_INNER_SECRET'),
    signingKey: JSON.parse(setting('SANDBOX_SUPABASE_SIGNING_KEY')),
    publishableKey: setting('SUPABASE_PUBLISHABLE_KEY'),
    secretKey: setting('SANDBOX_SUPABASE_SECRET_KEY'),
    mailboxUrl: setting('SANDBOX_MAILBOX_URL'),
    mailboxSecret: setting('SANDBOX_LOCAL_SECRET'),
    localSecret: setting('SANDBOX_LOCAL_SECRET'),
    accessTokenSeconds: numberSetting('SANDBOX_ACCESS_TOKEN_SECONDS', 600),
    mailLinkSeconds: numberSetting('SANDBOX_MAIL_LINK_SECONDS', 3600),
    attempts: numberSetting('SANDBOX_SIGN_IN_ATTEMPTS', 600),
    mailIntervalSeconds: numberSetting('SANDBOX_MAIL_INTERVAL_SECONDS', 60),
  }),
)
