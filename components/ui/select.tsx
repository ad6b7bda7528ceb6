import type { ComponentProps } from 'react'
import { classNames } from './class-names'
import { ChevronIcon } from './icons'

type SelectProps = Omit<ComponentProps<'select'>, 'children'> & {
  label: string
  options: (string | number)[]
}

/** The browser's own list, in our clothes. Its label is spoken, not shown: say beside it what it chooses. */
export function Select({ label, options, className, ...rest }: SelectProps) {
  return (
    <span className={classNames('relative inline-flex', className)}>
      <select
        {...rest}
        aria-label={label}
        className="min-h-11 w-full appearance-none rounded border border-line-strong bg-raised py-2 pr-8 pl-3 text-14 tabular-nums text-ink shadow-flat"
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
      <ChevronIcon className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 text-ink-soft" />
    </span>
  )
}
