import 'server-only'
import { z } from 'zod'
import { withLease } from '../db/lease'
import { callService } from '../db/sql'
import { env } from '../env'
import { log } from '../log'
import { Changed, forgetAnswer } from './entitlement-cache'

const BATCH = 100

/**
 * Note the end of every grace that has run out. Nobody has access by it any more when this runs: what the database answers goes
 * by its clock.
 * @throws AppError already_running
 */
export async function endGraces(): Promise<number> {
  return await withLease('grace', async ({ fencing }) => {
    let count = 0
    for (let ended: Changed[] = []; ; ) {
      const args = { p_livemode: env().livemode, p_fencing: fencing, p_limit: BATCH }
      ended = z.array(Changed).parse(await callService('end_graces', args))
      for (const changed of ended) await forgetAnswer(changed)
      count += ended.length
      if (ended.length < BATCH) break
    }
    if (count > 0) log.info('graces_ended', { count })
    return count
  })
}
