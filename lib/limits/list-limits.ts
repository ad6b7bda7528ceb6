import 'server-only'
import { z } from 'zod'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { Limit } from './schema'

/** What one payment, person, card and network may do at the moment. @throws AppError forbidden */
export async function listLimits({ staff }: { staff: Staff }): Promise<Limit[]> {
  return z.array(Limit).parse(await inWords(callService('payment_limits', { p_actor: staff.id })))
}
