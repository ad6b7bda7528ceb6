import type { ComponentProps } from 'react'
import { classNames } from './class-names'
import { BusyIcon } from './icons'

export type ButtonKind = 'primary' | 'secondary' | 'quiet'

const SHAPE =
  'inline-flex min-h-11 items-center justify-center gap-2 rounded px-4 py-2 text-center text-14 font-medium ' +
  'transition-[background-color,border-color,opacity] disabled:cursor-default'

const LOOK: Record<ButtonKind, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover disabled:bg-accent disabled:opacity-60',
  secondary:
    'border border-line-strong/60 bg-raised text-ink shadow-flat hover:bg-sunken disabled:bg-raised disabled:opacity-60',
  quiet: 'text-ink-soft hover:bg-sunken hover:text-ink disabled:opacity-60',
}

/** The look of a button, for a link that leads to the next step. At most one primary to a page. */
export function buttonLook(kind: ButtonKind = 'secondary', className?: string): string {
  return classNames(SHAPE, LOOK[kind], className)
}

type ButtonProps = ComponentProps<'button'> & {
  kind?: ButtonKind
  /** Work is under way: the button cannot be pressed again and says so to assistive technology. */
  busy?: boolean
}

export function Button({
  kind = 'secondary',
  busy = false,
  disabled,
  className,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={buttonLook(kind, className)}
    >
      {busy && <BusyIcon />}
      <span>{children}</span>
    </button>
  )
}
