import { requireApiKey } from '@/lib/auth/require-api-key'
import { getEntitlementsForApi } from '@/lib/billing/entitlements'
import { EntitlementsInput } from '@/lib/billing/schema'
import { json, readQuery, route } from '@/lib/http'

/** What a customer of ours may use now, for other systems. */
export const GET = route(async (request) => {
  const caller = await requireApiKey(request, 'entitlements:read')
  const { customerId } = readQuery(request, EntitlementsInput)

  const entitlements = await getEntitlementsForApi({ caller, customerId })

  return json({ customerId, entitlements })
})
