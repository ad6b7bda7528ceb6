'use client'

import { Popover } from 'radix-ui'
import { ChevronIcon, PersonIcon } from '@/components/ui/icons'
import { SubmitButton } from '@/components/ui/submit-button'
import { PageLink } from './page-link'

const PLACES = [
  { href: '/subscription', label: 'Subscription' },
  { href: '/cards', label: 'Cards' },
  { href: '/privacy', label: 'Privacy' },
]

type AccountMenuProps = { email: string; signOut: () => Promise<void> }

/** Who is signed in, and the way out. On a phone only the figure shows; the address is inside. */
export function AccountMenu({ email, signOut }: AccountMenuProps) {
  return (
    <Popover.Root>
      <Popover.Trigger
        aria-label={`Account: ${email}`}
        className="inline-flex min-h-11 min-w-11 items-center justify-center gap-1 rounded px-2 text-14 text-ink-soft transition-colors hover:text-ink sm:px-3"
      >
        <PersonIcon className="sm:hidden" />
        <span className="hidden max-w-56 truncate sm:block">{email}</span>
        <ChevronIcon className="hidden sm:block" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          aria-label="Account"
          align="end"
          sideOffset={4}
          collisionPadding={16}
          className="rise-in z-50 w-72 rounded border bg-raised p-4 shadow-pop"
        >
          <p className="text-13 text-ink-soft">Signed in as</p>
          <p className="text-14 font-medium wrap-anywhere">{email}</p>
          <ul className="mt-3 border-t pt-2">
            {PLACES.map(({ href, label }) => (
              <li key={href}>
                <Popover.Close asChild>
                  <PageLink
                    href={href}
                    className="-mx-2 flex min-h-11 items-center rounded px-2 text-14 hover:bg-sunken"
                  >
                    {label}
                  </PageLink>
                </Popover.Close>
              </li>
            ))}
          </ul>
          <form action={signOut} className="mt-2 border-t pt-4">
            <SubmitButton kind="secondary" className="w-full">
              Sign out
            </SubmitButton>
          </form>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
