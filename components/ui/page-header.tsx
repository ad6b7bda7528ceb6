import type { ReactNode } from 'react'

type PageHeaderProps = {
  title: ReactNode
  /** One quiet sentence below the title. */
  children?: ReactNode
  /** What stands opposite the title, for instance a status. */
  aside?: ReactNode
}

export function PageHeader({ title, children, aside }: PageHeaderProps) {
  return (
    <div className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
      <div className="min-w-0">
        <h1 className="text-28">{title}</h1>
        {children && <div className="mt-1 max-w-[65ch] text-16 text-ink-soft">{children}</div>}
      </div>
      {aside && <div className="flex min-h-[2.125rem] items-center">{aside}</div>}
    </div>
  )
}
