import { type ChildProcess, spawn } from 'node:child_process'
import type { ReconcileReport } from '@/lib/payments/reconcile'
import { root } from '../../scripts/processes'
import { stack } from './stack-in-test'

type Ended = { code: number | null; report: ReconcileReport | null; errors: string }

/** `npm run reconcile` as a process of its own, against the stack of the tests. */
export function startReconcile(
  args: string[],
  settings: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--conditions=react-server',
    '--import',
    './scripts/resolve-lib.mjs',
  ]
  const child = spawn(process.execPath, [...flags, 'scripts/reconcile.ts', ...args, '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...stack().env, ...settings },
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) =>
      resolve({ code, report: output === '' ? null : (JSON.parse(output) as ReconcileReport), errors }),
    )
  })
  return { child, ended }
}

/** Run it to its end; its report, or an error when it had none. */
export async function reconcileNow(args: string[], settings?: Record<string, string>) {
  const { code, report, errors } = await startReconcile(args, settings).ended
  if (!report?.ending) throw new Error(`reconcile ended with ${code}: ${errors}`)
  return { code, report, ...report.ending, errors }
}
