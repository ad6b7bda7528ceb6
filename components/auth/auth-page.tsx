import type { ReactNode } from 'react'

type AuthPageProps = { title: string; intro?: ReactNode; children: ReactNode; footer?: ReactNode }

/** The narrow sheet that every sign-in page is written on. */
export function AuthPage({ title, intro, children, footer }: AuthPageProps) {
  return (
    <div className="column-narrow sm:py-6">
      <h1 className="text-28">{title}</h1>
      {intro && <div className="mt-2 text-16 text-ink-soft">{intro}</div>}
      <div className="mt-6">{children}</div>
      {footer && <div className="mt-6 space-y-2 text-14 text-ink-soft">{footer}</div>}
    </div>
  )
}
