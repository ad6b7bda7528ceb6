import 'server-only'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { log } from '../log'
import { Switches, type SwitchInput, type SwitchName } from './schema'

/**
 * Turn something off, or on again. For payments and refunds it holds with the commit, on every server; for sign-ups within
 * two seconds.
 * @throws AppError forbidden unless the person is an admin
 */
export async function setSwitch({
  staff,
  name,
  input,
}: {
  staff: { id: string }
  name: SwitchName
  input: SwitchInput
}): Promise<Switches> {
  const switches = await inWords(
    callService('set_switch', {
      p_actor: staff.id,
      p_name: name,
      p_on: input.on,
      p_reason: input.reason,
    }),
  )
  log.security('staff_action', { action: input.on ? 'switch_on' : 'switch_off', name, actorId: staff.id })
  return Switches.parse(switches)
}
