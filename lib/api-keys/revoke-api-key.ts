import 'server-only'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { log } from '../log'
import { ApiKey } from './schema'

/** End a key, for ever. Its next request is refused, on every server. @throws AppError forbidden, not_found */
export async function revokeApiKey({
  staff,
  apiKeyId,
  input,
}: {
  staff: Staff
  apiKeyId: string
  input: { reason: string }
}): Promise<ApiKey> {
  const revoked = await inWords(
    callService('revoke_api_key', {
      p_actor: staff.id,
      p_api_key_id: apiKeyId,
      p_reason: input.reason,
    }),
  )
  const apiKey = ApiKey.parse(revoked)
  log.security('staff_action', { action: 'revoke_api_key', name: apiKey.name })
  return apiKey
}
