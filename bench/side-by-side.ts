import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { removeData } from '../sandbox/postgres/data-folder.ts'
import { unprivilegedUser } from '../sandbox/postgres/native-files.ts'
import { freePorts, type Sandbox, type SandboxPart, startSandbox } from '../sandbox/start.ts'

/** Some of the providers, in a folder of their own, with a disk that is really written to. */
export async function withProviders<Result>(
  only: SandboxPart[],
  work: (sandbox: Sandbox) => Promise<Result>,
): Promise<Result> {
  const stateDir = mkdtempSync(path.join(tmpdir(), `paywright-bench-${process.pid}-`))
  const sandbox = await startSandbox({
    stateDir,
    ports: await freePorts(),
    appOrigin: 'http://localhost:3000',
    only,
  })
  try {
    return await work(sandbox)
  } finally {
    await sandbox.stop()
    removeData(stateDir, unprivilegedUser())
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/** How many times a second `once` is done when `workers` do it at a time, `times` times in all. */
export async function perSecond(
  times: number,
  workers: number,
  once: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0
  const startedMs = performance.now()
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < times) await once(next++)
    }),
  )
  return times / ((performance.now() - startedMs) / 1000)
}

/** Measure two ways in turn, so that whatever else the machine does meets both; the first round warms up and is left out. */
export async function inTurns(
  rounds: number,
  ways: [() => Promise<number>, () => Promise<number>],
): Promise<[number, number]> {
  const rates: [number[], number[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    for (const [index, way] of ways.entries()) {
      const rate = await way()
      if (round > 0) rates[index]?.push(rate)
    }
  }
  return [median(rates[0]), median(rates[1])]
}

export function compared(what: string, ours: number, other: number): string {
  const ratio = (ours / other).toFixed(2)
  return `${what.padEnd(34)} ${ours.toFixed(0).padStart(6)} /s   ${other.toFixed(0).padStart(6)} /s   ratio ${ratio}`
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
}
