import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { childEnvironment, root, tool } from '../../scripts/processes'

const PROBE =
  "'use client'\nimport { askStripe } from '../../lib/stripe/server'\nexport default function Page() { return <p>{String(askStripe)}</p> }\n"
const LAYOUT =
  'export default function Layout({ children }: { children: React.ReactNode }) { return <html lang="en"><body>{children}</body></html> }\n'

/** A second, tiny app inside the project, built to its end. */
async function buildApp(page: string): Promise<{ code: number | null; output: string }> {
  const folder = mkdtempSync(path.join(root, '.probe-'))
  try {
    mkdirSync(path.join(folder, 'app'))
    writeFileSync(path.join(folder, 'app', 'layout.tsx'), LAYOUT)
    writeFileSync(path.join(folder, 'app', 'page.tsx'), page)
    writeFileSync(
      path.join(folder, 'next.config.js'),
      `export default { turbopack: { root: ${JSON.stringify(root)} }, typescript: { ignoreBuildErrors: true } }\n`,
    )
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n')
    const [node, next] = tool('next')
    const child = spawn(node, [next, 'build', folder], {
      cwd: folder,
      env: childEnvironment({ NODE_ENV: 'production' }),
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const code = await new Promise<number | null>((resolve) => child.on('exit', resolve))
    return { code, output }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('a component for browsers that takes a module for the server', () => {
  it('fails the build, which says why [S-5]', { timeout: 180_000 }, async () => {
    const { code, output } = await buildApp(PROBE)

    expect(code).not.toBe(0)
    expect(output).toMatch(/lib\/stripe\/server\.ts/)
    expect(output).toMatch(/server-only|needs? .*Server Component/i)
  })
})
