import { createApiKey } from '@/lib/api-keys/create-api-key'
import { listApiKeys } from '@/lib/api-keys/list-api-keys'
import { ApiKeyInput } from '@/lib/api-keys/schema'
import { requireRecentStaff, requireStaff } from '@/lib/auth/require-staff'
import { json, readJson, route } from '@/lib/http'

/** Every key other systems have or had. */
export const GET = route(async () => {
  const staff = await requireStaff('admin', 'auditor')

  return json({ apiKeys: await listApiKeys({ staff }) })
})

/** A new key. Its secret is in this answer, once. */
export const POST = route(async (request) => {
  const staff = await requireRecentStaff('admin')
  const input = await readJson(request, ApiKeyInput)

  return json(await createApiKey({ staff, input }), 201)
})
