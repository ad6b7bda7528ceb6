'use client'

import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { SubmitButton } from '@/components/ui/submit-button'

type ConfirmFormProps = { action: FormAction; tokenHash: string; type: 'email' | 'recovery'; label: string }

/** The link in the mail only opens this page; the press of the button uses it up. Mail scanners press nothing. */
export function ConfirmForm({ action, tokenHash, type, label }: ConfirmFormProps) {
  return (
    <ActionForm action={action}>
      {() => (
        <>
          <input type="hidden" name="tokenHash" value={tokenHash} />
          <input type="hidden" name="type" value={type} />
          <SubmitButton className="w-full">{label}</SubmitButton>
        </>
      )}
    </ActionForm>
  )
}
