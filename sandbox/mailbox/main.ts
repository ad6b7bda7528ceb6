import { numberSetting, runPart, setting } from '../part.ts'
import { startMailbox } from './server.ts'

await runPart(() =>
  startMailbox({
    port: numberSetting('SANDBOX_MAILBOX_PORT'),
    smtpPort: numberSetting('SANDBOX_SMTP_PORT'),
    file: setting('SANDBOX_MAILBOX_FILE'),
    secret: setting('SANDBOX_LOCAL_SECRET'),
  }),
)
