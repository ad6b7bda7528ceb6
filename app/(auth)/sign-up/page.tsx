import type { Metadata } from 'next'
import Link from 'next/link'
import { AuthPage } from '@/components/auth/auth-page'
import { SignUpForm } from '@/components/auth/sign-up-form'
import { signUpAction } from '../actions'

export const metadata: Metadata = { title: 'Create an account' }

export default function SignUpPage() {
  return (
    <AuthPage
      title="Create an account"
      intro="To order, pay, and see every payment you made."
      footer={
        <p>
          You have one already?{' '}
          <Link href="/sign-in" className="text-link text-ink">
            Sign in
          </Link>
        </p>
      }
    >
      <SignUpForm action={signUpAction} />
    </AuthPage>
  )
}
