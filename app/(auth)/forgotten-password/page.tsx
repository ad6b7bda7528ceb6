import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { ForgottenPasswordForm } from '@/components/auth/forgotten-password-form'
import { PageLink } from '@/components/site/page-link'
import { requestPasswordResetAction } from '../actions'

export const metadata: Metadata = { title: 'Forgotten password' }

export default function ForgottenPasswordPage() {
  return (
    <AuthPage
      title="Forgotten password"
      intro="Tell us your address and we will mail you a link to choose a new one."
      footer={
        <p>
          <PageLink href="/sign-in" className="text-link text-ink">
            Back to sign in
          </PageLink>
        </p>
      }
    >
      <ForgottenPasswordForm action={requestPasswordResetAction} />
    </AuthPage>
  )
}
