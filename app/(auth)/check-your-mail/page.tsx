import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { PageLink } from '@/components/site/page-link'
import { Notice } from '@/components/ui/notice'
import { publicConfig } from '@/lib/public-env'

export const metadata: Metadata = { title: 'Check your mail' }

type CheckYourMailPageProps = { searchParams: Promise<{ for?: string | string[] }> }

/** Says the same for every address, known or not. */
export default async function CheckYourMailPage({ searchParams }: CheckYourMailPageProps) {
  const { for: purpose } = await searchParams
  const reset = purpose === 'new-password'
  const { mode } = publicConfig()

  return (
    <AuthPage
      title="Check your mail"
      intro={
        reset
          ? 'If there is an account for that address, a link to choose a new password is on its way.'
          : 'We sent a message to the address you gave. Open the link in it to go on.'
      }
      footer={
        <p>
          Nothing there after a few minutes? Look among the unwanted mail, or{' '}
          <PageLink href={reset ? '/forgotten-password' : '/sign-up'} className="text-link text-ink">
            try again
          </PageLink>
          .
        </p>
      }
    >
      {mode === 'sandbox' && (
        <Notice>This is a local copy: its mail waits in the mailbox that was printed at the start.</Notice>
      )}
    </AuthPage>
  )
}
