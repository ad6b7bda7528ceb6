import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { highFindings, type Sarif } from '../../scripts/judge/sarif-gate.ts'
import { root } from '../../scripts/processes.ts'

type Step = { uses?: string; run?: string; with?: Record<string, unknown>; 'continue-on-error'?: unknown }
type Job = { permissions?: Record<string, string>; steps: Step[]; 'timeout-minutes'?: number }
type Workflow = { permissions?: unknown; jobs: Record<string, Job> }

const folder = path.join(root, '.github', 'workflows')
const workflows = readdirSync(folder).map((name): [string, Workflow] => [
  name,
  parse(readFileSync(path.join(folder, name), 'utf8')) as Workflow,
])
const jobs = workflows.flatMap(([name, { jobs }]) =>
  Object.entries(jobs).map(([job, value]): [string, Job] => [`${name} ${job}`, value]),
)

describe('the workflows of the public CI', () => {
  it('use each action at one commit, and say which version that is [S-8]', () => {
    const uses = jobs.flatMap(([, { steps }]) => steps.flatMap(({ uses }) => uses ?? []))
    const lines = readdirSync(folder)
      .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'))
      .filter((line) => line.includes('uses:'))

    expect(uses.length).toBeGreaterThan(10)
    expect(lines).toHaveLength(uses.length)
    for (const action of uses) expect(action).toMatch(/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/)
    for (const line of lines) expect(line).toMatch(/ # v\d+\.\d+\.\d+$/)
  })

  it('may read the code and nothing else, unless a job says what more [S-8]', () => {
    for (const [name, { permissions }] of workflows) expect(permissions, name).toEqual({ contents: 'read' })
    for (const [name, job] of jobs) {
      const { 'security-events': _report, ...others } = job.permissions ?? { contents: 'read' }

      expect(others, name).toEqual({ contents: 'read' })
      expect(job['timeout-minutes'], name).toBeLessThanOrEqual(45)
    }
  })

  it('run every test, and every scanner that needs the internet, none of which may be ignored [S-8]', () => {
    const steps = jobs.flatMap(([, { steps }]) => steps)
    const said = steps.map(({ uses, run }) => `${uses ?? ''} ${run ?? ''}`).join('\n')

    for (const part of [
      'npm test',
      'npm audit --audit-level=high',
      'osv-scanner',
      'gitleaks',
      'semgrep',
      'codeql',
    ])
      expect(said).toContain(part)
    expect(said).toMatch(/semgrep scan --error/)
    expect(said).toContain('sarif-gate.ts')
    expect(steps.filter((step) => step['continue-on-error'] !== undefined)).toEqual([])
    expect(said).not.toMatch(/\|\| true/)
    for (const { uses, with: options } of steps.filter(({ uses }) => uses?.startsWith('actions/checkout')))
      expect(options?.['persist-credentials'], uses).toBe(false)
  })

  it('stop at a finding that is high, not at one that is low [S-8]', () => {
    const report = (severity: string | undefined, level: string): Sarif => ({
      runs: [
        {
          tool: {
            driver: {},
            extensions: [
              {
                rules: [{ id: 'a-rule', ...(severity && { properties: { 'security-severity': severity } }) }],
              },
            ],
          },
          results: [{ ruleId: 'a-rule', level }],
        },
      ],
    })

    expect(highFindings(report('7.0', 'warning'))).toHaveLength(1)
    expect(highFindings(report(undefined, 'error'))).toHaveLength(1)
    expect(highFindings(report('6.9', 'error'))).toEqual([])
    expect(highFindings(report(undefined, 'note'))).toEqual([])
  })
})
