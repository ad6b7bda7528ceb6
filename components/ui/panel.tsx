import type { ComponentProps, ReactNode } from 'react'
import { classNames } from './class-names'

/** A sheet of paper on the desk: raised surface, one hairline, radius 8. */
export function Panel({ className, ...rest }: ComponentProps<'section'>) {
  return <section {...rest} className={classNames('rounded border bg-raised shadow-flat', className)} />
}

type FactsProps = { facts: { term: string; value: ReactNode }[] }

/** A short list of named facts, one line each. */
export function Facts({ facts }: FactsProps) {
  return (
    <dl className="divide-y text-14">
      {facts.map(({ term, value }) => (
        <div key={term} className="flex min-h-11 flex-wrap items-center justify-between gap-x-6 gap-y-1 py-2">
          <dt className="text-ink-soft">{term}</dt>
          <dd className="min-w-0 text-right">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
