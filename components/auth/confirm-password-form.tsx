'use client'

import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { Field } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'

type ConfirmPasswordFormProps = { action: FormAction; email: string; next: string }

/** Signs in once more. Password managers find the right entry by the address, which is there but not shown. */
export function ConfirmPasswordForm({ action, email, next }: ConfirmPasswordFormProps) {
  return (
    <ActionForm action={action}>
      {(state) => (
        <>
          <input type="email" name="email" autoComplete="username" value={email} readOnly hidden />
          <input type="hidden" name="next" value={next} />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            error={state.fieldErrors?.password}
          />
          <SubmitButton className="w-full">Confirm</SubmitButton>
        </>
      )}
    </ActionForm>
  )
}
