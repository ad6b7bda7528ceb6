import { type ComponentProps, useId } from 'react'
import { classNames } from './class-names'

type FieldProps = Omit<ComponentProps<'input'>, 'id' | 'aria-describedby' | 'aria-invalid'> & {
  label: string
  hint?: string
  error?: string
}

/** One labelled input. Hint and error are tied to it, so a screen reader reads them with the label. */
export function Field({ label, hint, error, className, ...input }: FieldProps) {
  const id = useId()
  const hintId = hint ? `${id}-hint` : undefined
  const errorId = error ? `${id}-error` : undefined
  const describedBy = [errorId, hintId].filter(Boolean).join(' ') || undefined

  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-14 font-medium">
        {label}
      </label>
      <input
        {...input}
        id={id}
        aria-describedby={describedBy}
        aria-invalid={error ? true : undefined}
        className={classNames(
          'block min-h-11 w-full rounded border bg-raised px-3 py-2 text-16 text-ink shadow-flat',
          'placeholder:text-ink-soft focus-visible:outline-offset-0',
          error ? 'border-bad' : 'border-line-strong',
        )}
      />
      {error && (
        <p id={errorId} className="mt-1 text-14 text-bad">
          {error}
        </p>
      )}
      {hint && (
        <p id={hintId} className="mt-1 text-13 text-ink-soft">
          {hint}
        </p>
      )}
    </div>
  )
}
