import 'server-only'
import { z } from 'zod'
import { findPage } from './edge/find-rule'
import { env } from './env'
import { AppError } from './errors'
import type { LogFields } from './log-fields'

/** As much of one report as is worth a line each. */
const MOST = 10

const text = z.string().max(4_000).optional().catch(undefined)
/** The newer form (Reporting API): a list of reports of all kinds. */
const Listed = z.array(
  z.looseObject({
    type: text,
    body: z
      .looseObject({ effectiveDirective: text, blockedURL: text, documentURL: text })
      .optional()
      .catch({}),
  }),
)
/** The older form (report-uri): one violation. */
const Single = z.looseObject({
  'csp-report': z.looseObject({
    'effective-directive': text,
    'violated-directive': text,
    'blocked-uri': text,
    'document-uri': text,
  }),
})

/**
 * What may be logged of a report: which directive, the origin of what it kept out, on which page of ours. Addresses carry
 * whatever was in them, so nothing else of them is kept.
 * @throws AppError bad_request for what is neither of the two forms
 */
export function readViolations(report: unknown): LogFields[] {
  const listed = Listed.safeParse(report)
  if (listed.success) {
    return listed.data
      .filter(({ type }) => type === 'csp-violation')
      .slice(0, MOST)
      .map(({ body = {} }) => violation(body.effectiveDirective, body.blockedURL, body.documentURL))
  }
  const single = Single.safeParse(report)
  if (!single.success) throw new AppError('bad_request')
  const told = single.data['csp-report']
  const directive = told['effective-directive'] ?? told['violated-directive']
  return [violation(directive, told['blocked-uri'], told['document-uri'])]
}

function violation(directive = '', blocked = '', page = ''): LogFields {
  return {
    kind: /^[a-z-]{3,30}/.exec(directive)?.[0] ?? 'other',
    source: originOf(blocked),
    route: pageOf(page),
  }
}

/** `inline`, `eval` and the like are words of the browser's own. */
function originOf(blocked: string): string {
  if (/^[a-z-]{1,30}$/.test(blocked)) return blocked
  const url = URL.parse(blocked)
  if (!url) return 'other'
  return url.origin === 'null' ? url.protocol.slice(0, -1) : url.origin
}

function pageOf(page: string): string {
  const url = URL.parse(page)
  return (url?.origin === env().appOrigin && findPage(url.pathname)) || 'elsewhere'
}
