import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'

export const metadata: Metadata = { title: 'Your account is deleted' }

/** Says the same to everybody: nobody who comes here is known any more. */
export default function AccountDeletedPage() {
  return (
    <AuthPage
      title="Your account is deleted"
      intro="Your sign-in and your e-mail address are gone. The rest follows within minutes, also at our payment provider."
    >
      <PageLink href="/" className={buttonLook('secondary')}>
        Go to the catalogue
      </PageLink>
    </AuthPage>
  )
}
