import { revokeApiKey } from '@/lib/api-keys/revoke-api-key'
import { RevocationInput } from '@/lib/api-keys/schema'
import { requireRecentStaff } from '@/lib/auth/require-staff'
import { json, readJson, requireUuid, route } from '@/lib/http'

/** End a key, for ever. */
export const POST = route(async (request, { params }: { params: Promise<{ id: string }> }) => {
  const staff = await requireRecentStaff('admin')
  const apiKeyId = requireUuid((await params).id)
  const input = await readJson(request, RevocationInput)

  return json({ apiKey: await revokeApiKey({ staff, apiKeyId, input }) })
})
