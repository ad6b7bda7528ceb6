'use client'

import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { Field } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { EmailField } from './email-field'

/** `next` is where the person was going; the server checks it before it is followed. */
export function SignInForm({ action, next }: { action: FormAction; next?: string }) {
  return (
    <ActionForm action={action}>
      {(state) => (
        <>
          {next && <input type="hidden" name="next" value={next} />}
          <EmailField state={state} />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            error={state.fieldErrors?.password}
          />
          <SubmitButton className="w-full">Sign in</SubmitButton>
        </>
      )}
    </ActionForm>
  )
}
