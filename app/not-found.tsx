import type { Metadata } from 'next'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'

export const metadata: Metadata = { title: 'Not found' }

export default function NotFound() {
  return (
    <div className="column-narrow">
      <h1 className="text-28">Nothing here</h1>
      <p className="mt-2 text-16 text-ink-soft">
        This page does not exist, or it belongs to another account. Check the address, or sign in with the
        account you used.
      </p>
      <div className="mt-6 flex flex-wrap gap-2">
        <PageLink href="/" className={buttonLook()}>
          Go to the catalogue
        </PageLink>
        <PageLink href="/payments" className={buttonLook('quiet')}>
          Your payments
        </PageLink>
      </div>
    </div>
  )
}
