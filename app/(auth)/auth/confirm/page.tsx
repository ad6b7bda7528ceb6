import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { ConfirmForm } from '@/components/auth/confirm-form'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { ConfirmInput } from '@/lib/auth/schema'
import { confirmAction } from '../../actions'

export const metadata: Metadata = { title: 'Confirm', referrer: 'no-referrer' }

type ConfirmPageProps = {
  searchParams: Promise<{ token_hash?: string | string[]; type?: string | string[] }>
}

export default async function ConfirmPage({ searchParams }: ConfirmPageProps) {
  const { token_hash, type: kind } = await searchParams
  // What the button would send: half a link would be refused without a word.
  const { data: link } = ConfirmInput.safeParse({ tokenHash: token_hash, type: kind })

  if (!link) {
    return (
      <AuthPage title="This link is not complete" intro="Open it again from the mail, or ask for a new one.">
        <PageLink href="/sign-in" className={buttonLook('secondary', 'w-full')}>
          Go to sign in
        </PageLink>
      </AuthPage>
    )
  }

  const { tokenHash, type } = link
  const recovery = type === 'recovery'
  return (
    <AuthPage
      title={recovery ? 'Choose a new password' : 'One last step'}
      intro={
        recovery
          ? 'Go on to choose a new password. The link works once.'
          : 'Confirm that this e-mail address is yours. The link works once.'
      }
    >
      <ConfirmForm
        action={confirmAction}
        tokenHash={tokenHash}
        type={type}
        again={recovery ? '/forgotten-password' : '/sign-up'}
        label={recovery ? 'Choose a new password' : 'Confirm my e-mail address'}
      />
    </AuthPage>
  )
}
