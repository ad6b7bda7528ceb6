/** `not run` is said with a reason where something outside of the project is missing; it is never taken for passed. */
export type Outcome = 'passed' | 'failed' | 'not run'

export type Verdict = {
  outcome: Outcome
  /** The figure, in a few words. */
  said: string
  /** What there is to do, one line each. */
  findings?: readonly string[]
}

export type Judge = { name: string; bar: string; judge: () => Promise<Verdict> }

export function verdictOf(findings: readonly string[], said: string): Verdict {
  return { outcome: findings.length === 0 ? 'passed' : 'failed', said, findings }
}

/** The table at the end of `npm run judge`. */
export function table(rows: readonly (Verdict & { name: string; bar: string; seconds: number })[]): string {
  const width = (text: (row: (typeof rows)[number]) => string) =>
    Math.max(...rows.map((row) => text(row).length))
  const names = width(({ name }) => name)
  const bars = width(({ bar }) => bar)
  return rows
    .map(
      ({ name, bar, outcome, said, seconds }) =>
        `${name.padEnd(names)}  ${outcome.padEnd(7)}  ${seconds.toFixed(1).padStart(5)} s  ${bar.padEnd(bars)}  ${said}`,
    )
    .join('\n')
}
