// The table that a person reads.
import type { Line } from './compare.ts'

export function markdown(lines: readonly Line[], { title, note }: { title: string; note: string }): string {
  const scenarios = [...new Set(lines.map(({ scenario }) => scenario))]
  const parts = scenarios.map((scenario) => {
    const own = lines.filter((line) => line.scenario === scenario)
    const rows = own[0]?.rows.map((id) => `stripe.${id}`).join(', ') ?? ''
    return [`## ${scenario}`, '', rows, '', ...table(own)].join('\n')
  })
  return [`# ${title}`, '', note, '', ...parts]
    .join('\n\n')
    .replace(/\n{3,}/g, '\n\n')
    .concat('\n')
}

function table(lines: readonly Line[]): string[] {
  return [
    '| | step | our stand-in | Stripe |',
    '|---|---|---|---|',
    ...lines.map(
      (line) =>
        `| ${mark(line)} | ${cell(line.step)} | ${cell(line.ours)} | ${cell(line.theirs ?? 'not run')} |`,
    ),
  ]
}

function mark({ differs, otherWords, theirs }: Line): string {
  if (differs.length > 0) return `**≠ ${differs.join(', ')}**`
  if (theirs === null) return ''
  return otherWords ? '~ words' : '='
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
