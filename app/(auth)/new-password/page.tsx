import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { NewPasswordForm } from '@/components/auth/new-password-form'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { setNewPasswordAction } from '../actions'

export const metadata: Metadata = { title: 'Choose a new password' }

export default async function NewPasswordPage() {
  const user = await requireUserOrSignIn('/new-password')
  return (
    <AuthPage
      title="Choose a new password"
      intro={
        <>
          For <span className="wrap-anywhere text-ink">{user.email}</span>
        </>
      }
    >
      <NewPasswordForm action={setNewPasswordAction} />
    </AuthPage>
  )
}
