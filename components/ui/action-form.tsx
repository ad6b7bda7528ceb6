'use client'

import { type ReactNode, useActionState, useEffect, useRef } from 'react'
import { type FormState, idleForm } from '@/lib/form-state'
import { Notice } from './notice'

/** A server action that answers a form. */
export type FormAction = (previous: FormState, data: FormData) => Promise<FormState>

type ActionFormProps = {
  action: FormAction
  className?: string
  children: (state: FormState) => ReactNode
}

/** A form answered by the server: what went wrong appears above the fields, and the first wrong field gets the focus. */
export function ActionForm({ action, className, children }: ActionFormProps) {
  const [state, send] = useActionState(action, idleForm)
  const form = useRef<HTMLFormElement>(null)

  useEffect(() => {
    if (state.status !== 'error') return
    form.current?.querySelector<HTMLInputElement>('[aria-invalid="true"]')?.focus()
  }, [state])

  return (
    <form ref={form} action={send} noValidate className={className ?? 'space-y-4'}>
      {state.status === 'error' && state.message && (
        <Notice tone="bad" urgent requestId={state.requestId}>
          {state.message}
        </Notice>
      )}
      {children(state)}
    </form>
  )
}
