'use client'

import type { ComponentProps } from 'react'
import { useFormStatus } from 'react-dom'
import { Button } from './button'

/** The button that sends the form around it; busy from the press until the answer. */
export function SubmitButton({ children, ...rest }: Omit<ComponentProps<typeof Button>, 'type' | 'busy'>) {
  const { pending } = useFormStatus()
  return (
    <Button kind="primary" {...rest} type="submit" busy={pending}>
      {children}
    </Button>
  )
}
