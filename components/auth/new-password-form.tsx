'use client'

import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { Field } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'

export function NewPasswordForm({ action }: { action: FormAction }) {
  return (
    <ActionForm action={action}>
      {(state) => (
        <>
          <Field
            label="New password"
            name="password"
            type="password"
            autoComplete="new-password"
            required
            hint="12 characters or more. A few words in a row work well."
            error={state.fieldErrors?.password}
          />
          <SubmitButton className="w-full">Save password</SubmitButton>
        </>
      )}
    </ActionForm>
  )
}
