import type { ComponentProps } from 'react'
import { classNames } from './class-names'
import { ChevronIcon } from './icons'

type Option = { value: string; label: string }

type SelectProps = Omit<ComponentProps<'select'>, 'children'> & {
  label: string
  options: (string | number | Option)[]
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
        {options.map(asOption).map(({ value, label: shown }) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
      <ChevronIcon className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 text-ink-soft" />
    </span>
  )
}

function asOption(option: string | number | Option): Option {
  return typeof option === 'object' ? option : { value: String(option), label: String(option) }
}
