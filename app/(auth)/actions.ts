'use server'

import { redirect } from 'next/navigation'
import { confirmEmail } from '@/lib/auth/confirm'
import { requestPasswordReset, setNewPassword } from '@/lib/auth/password'
import { ConfirmInput, EmailInput, NewPasswordInput, SignUpInput } from '@/lib/auth/schema'
import { signOut } from '@/lib/auth/sign-out'
import { signUp } from '@/lib/auth/sign-up'
import { buttonAction, formAction } from '@/lib/form-action'

// Sign-up and reset lead to the same page whether or not the address is known here.

export const signUpAction = formAction('signUpAction', SignUpInput, async (input) => {
  await signUp(input)
  redirect('/check-your-mail')
})

export const requestPasswordResetAction = formAction(
  'requestPasswordResetAction',
  EmailInput,
  async (input) => {
    await requestPasswordReset(input)
    redirect('/check-your-mail?for=new-password')
  },
)

export const setNewPasswordAction = formAction('setNewPasswordAction', NewPasswordInput, async (input) => {
  await setNewPassword(input)
  redirect('/payments')
})

export const confirmAction = formAction('confirmAction', ConfirmInput, async (input) => {
  const { next } = await confirmEmail(input)
  redirect(next)
})

export const signOutAction = buttonAction('signOutAction', async () => {
  await signOut()
  redirect('/')
})
