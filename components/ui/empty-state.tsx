import type { ReactNode } from 'react'

type EmptyStateProps = { title: string; children: ReactNode; action?: ReactNode }

/** A list with nothing in it yet: what it will show, and the next step. */
export function EmptyState({ title, children, action }: EmptyStateProps) {
  return (
    <div className="rounded border border-dashed px-6 py-10 text-center">
      <h2 className="text-16">{title}</h2>
      <p className="mx-auto mt-1 max-w-[44ch] text-14 text-balance text-ink-soft">{children}</p>
      {action && <div className="mt-4 flex justify-center">{action}</div>}
    </div>
  )
}
