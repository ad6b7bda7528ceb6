import type { Metadata } from 'next'
import { AuthPage } from '@/components/auth/auth-page'
import { SignInForm } from '@/components/auth/sign-in-form'
import { PageLink } from '@/components/site/page-link'

export const metadata: Metadata = { title: 'Sign in' }

type SignInPageProps = { searchParams: Promise<{ next?: string | string[] }> }

export default async function SignInPage({ searchParams }: SignInPageProps) {
  const { next } = await searchParams
  return (
    <AuthPage
      title="Sign in"
      footer={
        <>
          <p>
            <PageLink href="/forgotten-password" className="text-link text-ink">
              Forgotten your password?
            </PageLink>
          </p>
          <p>
            New here?{' '}
            <PageLink href="/sign-up" className="text-link text-ink">
              Create an account
            </PageLink>
          </p>
        </>
      }
    >
      <SignInForm next={typeof next === 'string' ? next : undefined} />
    </AuthPage>
  )
}
