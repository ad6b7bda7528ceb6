import { spawn } from 'node:child_process'
import { root } from '../../scripts/processes'
import { stack } from './stack-in-test'

/** `npm run switch -- …` beside the shared stack, without npm. */
export async function runSwitch(args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['scripts/bootstrap.mjs', 'scripts/switch.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...stack().env },
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, output }
}
