import 'server-only'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { log } from '../log'
import { ApiKey, type ApiKeyInput } from './schema'
import { newApiKey } from './secret'

/**
 * A key for another system. The secret is in this answer and nowhere else.
 * @throws AppError forbidden; bad_request, also for a time that has passed
 */
export async function createApiKey({
  staff,
  input,
}: {
  staff: Staff
  input: ApiKeyInput
}): Promise<{ apiKey: ApiKey; secret: string }> {
  const { secret, prefix, hash } = newApiKey(env().livemode)
  const created = await inWords(
    callService('create_api_key', {
      p_actor: staff.id,
      p_livemode: env().livemode,
      p_name: input.name,
      p_prefix: prefix,
      p_key_hash: hash,
      p_scopes: { json: input.scopes },
      p_expires_at: input.expiresAt ?? null,
      p_reason: input.reason,
    }),
  )
  const apiKey = ApiKey.parse(created)
  log.security('staff_action', { action: 'create_api_key', name: apiKey.name })
  return { apiKey, secret }
}
