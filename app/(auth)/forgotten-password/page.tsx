import type { Metadata } from 'next'
import Link from 'next/link'
import { AuthPage } from '@/components/auth/auth-page'
import { ForgottenPasswordForm } from '@/components/auth/forgotten-password-form'
import { requestPasswordResetAction } from '../actions'

export const metadata: Metadata = { title: 'Forgotten password' }

export default function ForgottenPasswordPage() {
  return (
    <AuthPage
      title="Forgotten password"
      intro="Tell us your address and we will mail you a link to choose a new one."
      footer={
        <p>
          <Link href="/sign-in" className="text-link text-ink">
            Back to sign in
          </Link>
        </p>
      }
    >
      <ForgottenPasswordForm action={requestPasswordResetAction} />
    </AuthPage>
  )
}
