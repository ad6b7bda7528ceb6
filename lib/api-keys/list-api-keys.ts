import 'server-only'
import { z } from 'zod'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { ApiKey } from './schema'

/** Every key there is or was, with its last use. @throws AppError forbidden */
export async function listApiKeys({ staff }: { staff: Staff }): Promise<ApiKey[]> {
  return z.array(ApiKey).parse(await inWords(callService('list_api_keys', { p_actor: staff.id })))
}
