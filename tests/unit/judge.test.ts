import { describe, expect, it } from 'vitest'
import { parseReport } from '../../scripts/judge/source-judges.ts'
import { table, verdictOf } from '../../scripts/judge/verdict.ts'

describe('npm run judge', () => {
  it('takes an audit that was not answered for none at all [S-8]', () => {
    const answered = { metadata: { vulnerabilities: { critical: 0, high: 1, moderate: 2, low: 3 } } }

    expect(parseReport(JSON.stringify(answered))).toMatchObject({ high: 1 })
    expect(parseReport('{"error":{"summary":"audit endpoint returned an error"}}')).toBeNull()
    expect(parseReport('')).toBeNull()
  })

  it('fails a judge with one finding, and says in its table what was not run [T4]', () => {
    const rows = [
      { name: 'secrets', bar: '0', seconds: 0.4, ...verdictOf(['one'], '1') },
      { name: 'audit', bar: '0 high', seconds: 1, outcome: 'not run' as const, said: 'nobody answers' },
    ]

    expect(rows[0]?.outcome).toBe('failed')
    expect(verdictOf([], '0').outcome).toBe('passed')
    expect(table(rows)).toBe(
      'secrets  failed     0.4 s  0       1\naudit    not run    1.0 s  0 high  nobody answers',
    )
  })
})
