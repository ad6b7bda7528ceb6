// Two plays of the same scenarios, side by side.
import { isDeepStrictEqual } from 'node:util'
import type { Played } from './play.ts'
import type { Outcome } from './side.ts'

export type Line = {
  scenario: string
  rows: readonly string[]
  step: string
  ours: string
  theirs: string | null
  /** What is not the same. Only the wording of a message may differ without being a difference. */
  differs: string[]
  otherWords: boolean
}

const COMPARED = ['status', 'type', 'code', 'declineCode', 'param', 'facts'] as const

/** `theirs` null: only ours was played. */
export function compare(ours: readonly Played[], theirs: readonly Played[] | null): Line[] {
  return ours.flatMap((mine) => {
    const other = theirs?.find(({ scenario }) => scenario === mine.scenario) ?? null
    const steps = [...new Set([...mine.outcomes, ...(other?.outcomes ?? [])].map(({ step }) => step))]
    const { scenario, rows } = mine
    return [
      ...steps.map((step) => stepLine({ scenario, rows, step }, mine, other)),
      eventLine({ scenario, rows, step: 'events' }, mine, other),
    ]
  })
}

type Head = Pick<Line, 'scenario' | 'rows' | 'step'>

function stepLine(head: Head, mine: Played, other: Played | null): Line {
  const find = (played: Played | null) => played?.outcomes.find(({ step }) => step === head.step) ?? null
  const [ours, theirs] = [find(mine), find(other)]
  const both = ours && theirs
  const differs = both
    ? COMPARED.filter((name) => !isDeepStrictEqual(ours[name], theirs[name]))
    : other
      ? ['not reached on one side']
      : []
  return {
    ...head,
    ours: written(ours),
    theirs: other && written(theirs),
    differs,
    otherWords: Boolean(both && ours.message !== theirs.message),
  }
}

function eventLine(head: Head, mine: Played, other: Played | null): Line {
  const differs = other && !isDeepStrictEqual(mine.events, other.events)
  return {
    ...head,
    ours: mine.events.join(', ') || 'none',
    theirs: other && (other.events.join(', ') || 'none'),
    differs: differs ? ['events'] : [],
    otherWords: false,
  }
}

function written(outcome: Outcome | null): string {
  if (!outcome) return 'not reached'
  const { status, type, code, declineCode, param, message, facts } = outcome
  const error = [type, code, declineCode, param && `param ${param}`].filter(Boolean).join(' · ')
  const shown = Object.keys(facts).length > 0 ? JSON.stringify(facts) : ''
  return [status, error, shown, message && `“${message}”`].filter(Boolean).join(' · ')
}
