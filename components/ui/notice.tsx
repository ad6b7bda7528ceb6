import type { ReactNode } from 'react'
import { classNames } from './class-names'
import { AlertIcon, CheckIcon, InfoIcon } from './icons'

export type Tone = 'plain' | 'good' | 'warn' | 'bad'

const EDGE: Record<Tone, string> = {
  plain: 'border-line bg-sunken',
  good: 'border-good/30 bg-good/6',
  warn: 'border-warn/35 bg-warn/7',
  bad: 'border-bad/30 bg-bad/6',
}

const MARK: Record<Tone, string> = {
  plain: 'text-ink-soft',
  good: 'text-good',
  warn: 'text-warn',
  bad: 'text-bad',
}

const ICON = { plain: InfoIcon, good: CheckIcon, warn: AlertIcon, bad: AlertIcon }

type NoticeProps = {
  tone?: Tone
  title?: string
  children?: ReactNode
  /** What the reader can do about it. */
  action?: ReactNode
  /** The number to quote when asking for help. */
  requestId?: string | null
  /** Read out at once; for what has just gone wrong. */
  urgent?: boolean
  className?: string
}

/** What happened, what is safe, what to do next. */
export function Notice({
  tone = 'plain',
  title,
  children,
  action,
  requestId,
  urgent,
  className,
}: NoticeProps) {
  const Mark = ICON[tone]
  return (
    <div
      role={urgent ? 'alert' : undefined}
      className={classNames('rise-in rounded border px-4 py-3 text-14', EDGE[tone], className)}
    >
      <div className="flex gap-3">
        <Mark className={classNames('mt-[3px] shrink-0', MARK[tone])} />
        <div className="min-w-0 flex-1">
          {title && <p className="font-medium">{title}</p>}
          {children && (
            <div className={classNames('max-w-[65ch]', title && 'mt-0.5 text-ink-soft')}>{children}</div>
          )}
          {requestId && (
            <p className="mt-1 text-13 text-ink-soft">
              Request id <span className="font-mono text-13 wrap-anywhere">{requestId}</span>
            </p>
          )}
          {action && <div className="mt-3 flex flex-wrap gap-2">{action}</div>}
        </div>
      </div>
    </div>
  )
}
