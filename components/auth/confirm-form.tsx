'use client'

import { PageLink } from '@/components/site/page-link'
import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { buttonLook } from '@/components/ui/button'
import { SubmitButton } from '@/components/ui/submit-button'

type ConfirmFormProps = {
  action: FormAction
  tokenHash: string
  type: 'email' | 'recovery'
  label: string
  /** Where a new link comes from. */
  again: string
}

/** The link in the mail only opens this page; the press of the button uses it up. Mail scanners press nothing. */
export function ConfirmForm({ action, tokenHash, type, label, again }: ConfirmFormProps) {
  return (
    <ActionForm action={action}>
      {({ isOver }) =>
        isOver ? (
          <PageLink href={again} className={buttonLook('secondary', 'w-full')}>
            Ask for a new link
          </PageLink>
        ) : (
          <>
            <input type="hidden" name="tokenHash" value={tokenHash} />
            <input type="hidden" name="type" value={type} />
            <SubmitButton className="w-full">{label}</SubmitButton>
            <p className="pt-2 text-14 text-ink-soft">
              The link does not work any more?{' '}
              <PageLink href={again} className="text-link text-ink">
                Ask for a new one
              </PageLink>
            </p>
          </>
        )
      }
    </ActionForm>
  )
}
