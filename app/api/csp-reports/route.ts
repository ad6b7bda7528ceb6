import { readViolations } from '@/lib/csp-report'
import { readReport, route } from '@/lib/http'
import { log } from '@/lib/log'

/** Where browsers tell what the Content-Security-Policy of a page has kept out. Nothing is stored; the log is told. */
export const POST = route(async (request) => {
  for (const violation of readViolations(await readReport(request))) log.security('csp_violation', violation)

  return new Response(null, { status: 204 })
})
