'use client'

import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { SubmitButton } from '@/components/ui/submit-button'
import { EmailField } from './email-field'

export function ForgottenPasswordForm({ action }: { action: FormAction }) {
  return (
    <ActionForm action={action}>
      {(state) => (
        <>
          <EmailField state={state} />
          <SubmitButton className="w-full">Send link</SubmitButton>
        </>
      )}
    </ActionForm>
  )
}
