import { Mark } from './mark'
import { PageLink } from './page-link'
import { SiteNav, type SiteNavProps } from './site-nav'

/** Name and ways to go. */
export function SiteHeader({ email, signOut }: SiteNavProps) {
  return (
    <header className="border-b bg-raised print:hidden">
      <div className="column-wide flex min-h-14 items-center justify-between gap-2">
        <PageLink
          href="/"
          className="-ml-1 flex min-h-11 items-center gap-2 rounded px-1 text-16 font-semibold"
        >
          <Mark />
          Paywright
        </PageLink>
        <SiteNav email={email} signOut={signOut} />
      </div>
    </header>
  )
}
