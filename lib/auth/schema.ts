import { z } from 'zod'
import { isCommonPassword } from './common-passwords'
import { localPath } from './local-path'

const email = z.string().trim().max(254).pipe(z.email('Enter an e-mail address like name@example.com.'))
const newPassword = z
  .string()
  .min(12, 'Use 12 characters or more.')
  .refine(
    (value) => new TextEncoder().encode(value).length <= 72,
    'Use a shorter password: 72 bytes at most.',
  )
  .refine(
    (value) => !isCommonPassword(value),
    'This is close to one of the most common passwords. A few words in a row work well.',
  )

/** A path on this site; anything else becomes the start page. */
const next = z.string().max(500).optional().transform(localPath)

export const SignUpInput = z.strictObject({ email, password: newPassword })
export const SignInInput = z.strictObject({
  email,
  password: z.string().min(1, 'Enter your password.').max(200),
  next,
})
export const EmailInput = z.strictObject({ email })
export const NewPasswordInput = z.strictObject({ password: newPassword })
export const ConfirmInput = z.strictObject({
  tokenHash: z.string().regex(/^[\w.-]{8,200}$/),
  type: z.enum(['email', 'recovery']),
})
