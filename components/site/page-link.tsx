'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ComponentProps } from 'react'
import { LinkProgress } from '@/components/ui/link-progress'

type PageLinkProps = Omit<ComponentProps<'a'>, 'href'> & { href: string }

const isCheckout = (path: string) => path.startsWith('/checkout/')

/**
 * A link to another of our pages. Into and out of checkout it loads a whole document: those pages have a
 * Content-Security-Policy of their own, and a client-side navigation would keep the one it started with.
 */
export function PageLink({ href, children, ...rest }: PageLinkProps) {
  const here = usePathname()
  if (isCheckout(here) || isCheckout(href)) {
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
