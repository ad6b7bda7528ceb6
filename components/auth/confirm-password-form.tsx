'use client'

import { ActionForm } from '@/components/ui/action-form'
import { Field } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { sendSignIn } from './send-sign-in'

type ConfirmPasswordFormProps = { email: string; next: string }

/** Signs in once more. Password managers find the right entry by the address, which is there but not shown. */
export function ConfirmPasswordForm({ email, next }: ConfirmPasswordFormProps) {
  return (
    <ActionForm action={sendSignIn}>
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
