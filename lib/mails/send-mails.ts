import 'server-only'
import { z } from 'zod'
import { withLease } from '../db/lease'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { crashPoint } from '../payments/crash-point'
import { endSignal } from '../process/drain'
import { readFacts } from './facts'
import { type RenderedMail, renderMail } from './render'
import { handOver, MailError } from './smtp'
import { wordsOf } from './words'

/** Platforms cut a request off after a minute or so; what is left then is for the next call. */
const TIME_BUDGET_MS = 25_000
const AT_ONCE = 4

const Claimed = z
  .object({ id: z.uuid(), kind: z.string(), facts: z.unknown(), to: z.string(), attempt: z.number().int() })
  .nullable()
type Claimed = NonNullable<z.infer<typeof Claimed>>

export type MailsSent = { sent: number; failures: number }

/**
 * Send the mails that are owed: claim one, send it, mark it. What is not marked is sent again, so a crash (or the database
 * going away) between the mail server's yes and the mark sends that mail twice, under the same Message-ID.
 * @throws AppError already_running when another run is going on
 */
export async function sendMails(): Promise<MailsSent> {
  const { livemode } = env()
  return await withLease(livemode ? 'outbox_live' : 'outbox_test', async ({ fencing }) => {
    const sent: MailsSent = { sent: 0, failures: 0 }
    const deadline = Date.now() + TIME_BUDGET_MS
    let isAway = false

    async function lane(): Promise<void> {
      while (!isAway && Date.now() < deadline && !endSignal().aborted) {
        const mail = Claimed.parse(
          await callService('claim_mail', { p_livemode: livemode, p_fencing: fencing }),
        )
        if (!mail) return
        const outcome = await send(mail)
        if (outcome === 'sent') sent.sent++
        else sent.failures++
        // The others would not fare better, and each try counts against them.
        if (outcome === 'away') isAway = true
      }
    }

    // Each to its end, also when one fails: the lease is not given back while a mail is on its way.
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane))
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
    return sent
  })
}

async function send(mail: Claimed): Promise<'sent' | MailError['kind']> {
  crashPoint('mail.claimed')
  try {
    await handOver({ ...render(mail), id: mail.id, to: mail.to })
  } catch (error) {
    const { kind, code } = error instanceof MailError ? error : unreadable(error)
    const status = await callService('mail_not_sent', {
      p_mail_id: mail.id,
      p_attempt: mail.attempt,
      p_code: code,
      p_for_good: kind === 'never',
    })
    const fields = { kind: mail.kind, attempt: mail.attempt, code, outcome: String(status) }
    if (status === 'failed') log.error('mail_given_up', fields)
    else log.warn('mail_not_sent', fields)
    return kind
  }
  crashPoint('mail.handed')
  await callService('mail_sent', { p_mail_id: mail.id })
  return 'sent'
}

function render({ kind, facts }: Claimed): RenderedMail {
  return renderMail(wordsOf(readFacts(kind, facts)), env().appOrigin)
}

/** Facts that make no mail make none tomorrow either. */
function unreadable(error: unknown): MailError {
  log.error('mail_unreadable', errorFields(error))
  return new MailError('never', 'unreadable')
}
