import type { Metadata, Viewport } from 'next'
import { headers } from 'next/headers'
import type { ReactNode } from 'react'
import { SiteFooter } from '@/components/site/site-footer'
import { SiteHeader } from '@/components/site/site-header'
import { findUserOfPage } from '@/lib/auth/session'
import { publicConfig } from '@/lib/public-env'
import { signOutAction } from './(auth)/actions'
import './globals.css'

export const metadata: Metadata = {
  title: { default: 'Paywright', template: '%s · Paywright' },
  description: 'Order, pay and look back at every payment.',
}

export const viewport: Viewport = {
  colorScheme: 'light dark',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#ffffff' },
    { media: '(prefers-color-scheme: dark)', color: '#15191f' },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Every page is rendered per request: a static page would carry no nonce, and its scripts would be refused.
  await headers()
  const user = await findUserOfPage()
  const { mode } = publicConfig()

  return (
    <html lang="en">
      <body className="flex min-h-dvh flex-col">
        <a
          href="#content"
          className="sr-only z-50 rounded bg-raised px-4 py-3 text-14 font-medium shadow-pop focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
        >
          Skip to content
        </a>
        <SiteHeader email={user?.email ?? null} signOut={signOutAction} />
        <main id="content" tabIndex={-1} className="flex-1 py-8 outline-none sm:py-10">
          {children}
        </main>
        <SiteFooter pretend={mode === 'live' ? null : mode} />
      </body>
    </html>
  )
}
