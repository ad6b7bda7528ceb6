'use client'

import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { Field } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { EmailField } from './email-field'

export function SignUpForm({ action }: { action: FormAction }) {
  return (
    <ActionForm action={action}>
      {(state) => (
        <>
          <EmailField state={state} />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="new-password"
            required
            hint="12 characters or more. A few words in a row work well."
            error={state.fieldErrors?.password}
          />
          <SubmitButton className="w-full">Create account</SubmitButton>
        </>
      )}
    </ActionForm>
  )
}
