// Judges that look at the product from outside, as a browser or a stranger would.
import path from 'node:path'
import { HANDLERS, PAGES } from '../../lib/edge/route-table.ts'
import { ensureChromium } from '../chromium.ts'
import { root, run, tool } from '../processes.ts'
import { cspFindings } from './csp-findings.ts'
import type { Stand } from './stand.ts'
import { inTools, runQuietly } from './tools.ts'
import { type Verdict, verdictOf } from './verdict.ts'

/** Every address that can be opened. Who asks for something that is not theirs gets a page as well. */
function addresses(): string[] {
  const reads = Object.keys(HANDLERS).filter((name) => name.startsWith('GET '))
  const known = [...Object.keys(PAGES), ...reads.map((name) => name.slice('GET '.length))]
  return [...known, '/nowhere'].map((name) =>
    name.replaceAll(/\[\w+\]/g, '00000000-0000-4000-8000-000000000000'),
  )
}

export async function judgeCsp(stand: Stand): Promise<Verdict> {
  const findings: string[] = []
  for (const page of addresses()) {
    const policy = (await stand.open(page)).headers.get('content-security-policy')
    // The local Stripe speaks http on this machine. Where it stands, Stripe itself does in production.
    const inProduction = policy?.replaceAll(stand.localStripeOrigin, 'https://js.stripe.com')
    if (inProduction === undefined) findings.push(`${page} has no Content-Security-Policy`)
    else findings.push(...cspFindings(inProduction).map((finding) => `${page} ${finding}`))
  }
  return verdictOf(findings, `${findings.length} findings on ${addresses().length} addresses`)
}

type Scan = {
  scan: { grade: string; score: number; testsPassed: number; testsQuantity: number }
  tests: Record<string, { pass: boolean; result: string; scoreDescription: string }>
}

export async function judgeObservatory(stand: Stand): Promise<Verdict> {
  const { code, stdout, stderr } = await runQuietly(
    [
      process.execPath,
      path.join(root, 'scripts', 'judge', 'observatory-scan.ts'),
      inTools('@mdn/mdn-http-observatory/src/scanner/index.js'),
      String(stand.httpPort),
      String(stand.httpsPort),
    ],
    { NODE_EXTRA_CA_CERTS: stand.certificateFile },
  )
  if (code !== 0) return verdictOf([stderr.trim().slice(-2_000)], 'it could not scan')
  const { scan, tests } = JSON.parse(stdout) as Scan
  const findings = Object.entries(tests)
    .filter(([, test]) => !test.pass)
    .map(([name, { result, scoreDescription }]) => `${name} ${result}: ${scoreDescription}`)
  if (scan.grade !== 'A+' || scan.score < 115)
    findings.push(`${scan.grade} with ${scan.score} is below the bar`)
  return verdictOf(findings, `${scan.grade}, ${scan.score}, ${scan.testsPassed}/${scan.testsQuantity} tests`)
}

/** Every page in two widths and two colour schemes, as the journeys walk them. */
export async function judgeAccessibility(): Promise<Verdict> {
  const chromium = await ensureChromium()
  const command = [...tool('playwright'), 'test', '--grep', 'every page is accessible']
  const code = await run(command, { CHROME_PATH: chromium })
  return verdictOf(
    code === 0 ? [] : ['violations are named above'],
    code === 0 ? '0 violations' : 'violations',
  )
}
