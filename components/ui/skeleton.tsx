import type { ReactNode } from 'react'
import { classNames } from './class-names'

/** One grey bar; give it a height and a width. */
export function Bar({ className }: { className?: string }) {
  return <span className={classNames('placeholder block', className)} />
}

/** Wraps the bars of one loading shape: announced once, in words, and otherwise silent. */
export function Skeleton({
  label,
  className,
  children,
}: {
  label: string
  className?: string
  children: ReactNode
}) {
  return (
    <div role="status" className={className}>
      <span className="sr-only">{label}</span>
      <div aria-hidden="true">{children}</div>
    </div>
  )
}
