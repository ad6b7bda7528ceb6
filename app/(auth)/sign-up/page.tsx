import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { SignUpForm } from '@/components/auth/sign-up-form'
import { PageLink } from '@/components/site/page-link'
import { signUpAction } from '../actions'

export const metadata: Metadata = { title: 'Create an account' }

export default function SignUpPage() {
  return (
    <AuthPage
      title="Create an account"
      intro="To order, pay, and see every payment you made."
      footer={
        <p>
          Already have an account?{' '}
          <PageLink href="/sign-in" className="text-link text-ink">
            Sign in
          </PageLink>
        </p>
      }
    >
      <SignUpForm action={signUpAction} />
    </AuthPage>
  )
}
