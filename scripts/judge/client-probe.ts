// Builds a second, tiny app inside the project, in which a component for browsers takes a module that knows a secret. The
// build has to fail and to say why.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root, tool } from '../processes.ts'
import { runQuietly } from './tools.ts'
import { type Verdict, verdictOf } from './verdict.ts'

const SECRET_MODULE = 'lib/stripe/server'

const PAGE = `'use client'
import { askStripe } from '../../${SECRET_MODULE}'
export default function Page() { return <p>{String(askStripe)}</p> }
`
const LAYOUT =
  'export default function Layout({ children }) { return <html><body>{children}</body></html> }\n'
const CONFIG = `export default { turbopack: { root: ${JSON.stringify(root)} }, typescript: { ignoreBuildErrors: true } }\n`

export async function judgeClientProbe(): Promise<Verdict> {
  const folder = mkdtempSync(path.join(root, '.probe-'))
  try {
    mkdirSync(path.join(folder, 'app'))
    const files = { 'app/layout.jsx': LAYOUT, 'app/page.jsx': PAGE, 'next.config.js': CONFIG }
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n')
    const command = [...tool('next'), 'build', folder]
    const { code, stdout, stderr } = await runQuietly(command, { NODE_ENV: 'production' }, folder)
    const said = stdout + stderr
    const isRefused = code !== 0 && said.includes(SECRET_MODULE) && /server-only|Server Component/.test(said)
    return verdictOf(
      isRefused ? [] : [said.slice(-2_000)],
      isRefused ? 'the build fails, and says why' : 'it was built',
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
