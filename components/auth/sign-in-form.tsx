'use client'

import { ActionForm } from '@/components/ui/action-form'
import { Field } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { EmailField } from './email-field'
import { sendSignIn } from './send-sign-in'

/** `next` is where the person was going; the server checks it before it is followed. */
export function SignInForm({ next }: { next?: string }) {
  return (
    <ActionForm action={sendSignIn}>
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
