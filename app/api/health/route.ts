import { readiness } from '@/lib/health'
import { json, route } from '@/lib/http'

/** `?live` answers as long as the process does. Without it: whether a payment could be made now, and what is missing. */
export const GET = route(async (request) => {
  if (new URL(request.url).searchParams.has('live')) return json({ status: 'alive' })
  const health = await readiness()

  return json(health, health.status === 'down' ? 503 : 200)
})
