import { classNames } from './class-names'
import { Hint } from './hint'
import type { Tone } from './notice'

const DOT: Record<Tone, string> = { plain: 'bg-ink-soft', good: 'bg-good', warn: 'bg-warn', bad: 'bg-bad' }

type StatusProps = { tone: Tone; word: string; explanation?: string }

/** A dot, a word and an explanation: never colour alone. A hollow dot means "not finished". */
export function Status({ tone, word, explanation }: StatusProps) {
  const label = (
    <span className="inline-flex items-center gap-2 whitespace-nowrap text-14">
      <span aria-hidden="true" className={classNames('dot size-2 shrink-0 rounded-full', DOT[tone])} />
      {word}
    </span>
  )
  if (!explanation) return label
  return (
    <Hint explanation={explanation} className="-my-3 inline-flex min-h-11 items-center py-3">
      {label}
    </Hint>
  )
}
