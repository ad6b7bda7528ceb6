import { type ComponentProps, useId } from 'react'
import { classNames } from './class-names'

type FieldProps = Omit<ComponentProps<'input'>, 'id' | 'aria-describedby' | 'aria-invalid'> & {
  label: string
  hint?: string
  error?: string
}

/** One labelled input. Its hint, or the error that takes its place, is tied to it: a screen reader reads it with the label. */
export function Field({ label, hint, error, className, ...input }: FieldProps) {
  const id = useId()
  const noteId = error || hint ? `${id}-note` : undefined

  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-14 font-medium">
        {label}
      </label>
      <input
        {...input}
        id={id}
        aria-describedby={noteId}
        aria-invalid={error ? true : undefined}
        className={classNames(
          'block min-h-11 w-full rounded border bg-raised px-3 py-2 text-16 text-ink shadow-flat',
          'placeholder:text-ink-soft focus-visible:outline-offset-0',
          error ? 'border-bad' : 'border-line-strong',
        )}
      />
      {noteId && (
        <p id={noteId} className={classNames('mt-1', error ? 'text-14 text-bad' : 'text-13 text-ink-soft')}>
          {error || hint}
        </p>
      )}
    </div>
  )
}
