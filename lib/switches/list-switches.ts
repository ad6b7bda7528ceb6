import 'server-only'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { Switches } from './schema'

/** Every switch, and who turned it last and why. @throws AppError forbidden */
export async function listSwitches({ staff }: { staff: Staff }): Promise<Switches> {
  return Switches.parse(await inWords(callService('switches', { p_actor: staff.id })))
}
