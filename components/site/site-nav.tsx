'use client'

import { usePathname } from 'next/navigation'
import { classNames } from '@/components/ui/class-names'
import { LockIcon } from '@/components/ui/icons'
import { AccountMenu } from './account-menu'
import { PageLink } from './page-link'

const PLACES = [
  { href: '/', label: 'Catalogue', holds: (path: string) => path === '/' || path.startsWith('/orders') },
  {
    href: '/plans',
    label: 'Plans',
    holds: (path: string) => path === '/plans' || path === '/subscription',
  },
  { href: '/payments', label: 'Payments', holds: (path: string) => path.startsWith('/payments') },
]

const ITEM =
  'inline-flex min-h-11 items-center rounded px-1.5 text-14 font-medium whitespace-nowrap transition-colors sm:px-3'

export type SiteNavProps = {
  /** The signed-in person's address, or null. */
  email: string | null
  signOut: () => Promise<void>
}

/** The pages one can go to. While paying there is nothing else to do, so it steps aside. */
export function SiteNav({ email, signOut }: SiteNavProps) {
  const path = usePathname()
  if (path.startsWith('/checkout/')) {
    return (
      <p className="flex items-center gap-2 text-13 text-ink-soft">
        <LockIcon /> Checkout
      </p>
    )
  }
  return (
    <nav aria-label="Main" className="-mr-1.5 flex items-center sm:-mr-3">
      <ul className="flex items-center">
        {PLACES.map(({ href, label, holds }) => {
          const here = holds(path)
          return (
            // On a phone there is no room for all of them, and the name beside leads there as well.
            <li key={href} className={href === '/' ? 'max-sm:hidden' : undefined}>
              <PageLink
                href={href}
                aria-current={here ? (path === href ? 'page' : 'true') : undefined}
                className={classNames(ITEM, here ? 'text-ink' : 'text-ink-soft hover:text-ink')}
              >
                {label}
              </PageLink>
            </li>
          )
        })}
      </ul>
      {email ? (
        <AccountMenu email={email} signOut={signOut} />
      ) : (
        <PageLink href="/sign-in" className={classNames(ITEM, 'text-ink-soft hover:text-ink')}>
          Sign in
        </PageLink>
      )}
    </nav>
  )
}
