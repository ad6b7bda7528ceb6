'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ComponentProps } from 'react'
import { LinkProgress } from '@/components/ui/link-progress'
import { takesCards } from '@/lib/takes-cards'

type PageLinkProps = Omit<ComponentProps<'a'>, 'href'> & { href: string }

/**
 * A link to another of our pages. Into and out of those that take a card it loads a whole document: those pages have a
 * Content-Security-Policy of their own, and a client-side navigation would keep the one it started with.
 */
export function PageLink({ href, children, ...rest }: PageLinkProps) {
  const here = usePathname()
  if (takesCards(here) || takesCards(href)) {
    return (
      <a href={href} {...rest}>
        {children}
      </a>
    )
  }
  return (
    <Link href={href} {...rest}>
      {children}
      <LinkProgress />
    </Link>
  )
}
