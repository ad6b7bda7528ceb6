import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { ConfirmPasswordForm } from '@/components/auth/confirm-password-form'
import { PageLink } from '@/components/site/page-link'
import { requireUserOrSignIn } from '@/lib/auth/session'

export const metadata: Metadata = { title: 'Confirm your password' }

type ConfirmPasswordPageProps = { searchParams: Promise<{ next?: string | string[] }> }

/** On the way to something that cannot be undone: whoever found an open screen stops here. */
export default async function ConfirmPasswordPage({ searchParams }: ConfirmPasswordPageProps) {
  const { next: given } = await searchParams
  const next = typeof given === 'string' ? given : '/'
  const user = await requireUserOrSignIn(next)
  return (
    <AuthPage
      title="Confirm your password"
      intro={
        <>
          To go on, enter the password of <span className="wrap-anywhere text-ink">{user.email}</span> once
          more.
        </>
      }
      footer={
        <p>
          <PageLink href="/forgotten-password" className="text-link text-ink">
            Forgotten your password?
          </PageLink>
        </p>
      }
    >
      <ConfirmPasswordForm email={user.email} next={next} />
    </AuthPage>
  )
}
