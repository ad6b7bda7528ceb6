'use client'

import { ActionForm } from '@/components/ui/action-form'
import { SubmitButton } from '@/components/ui/submit-button'
import type { FormState } from '@/lib/form-state'

/** Takes an order that was made for the person's address, and goes on to checkout: a fresh document, as always. */
export function ClaimForm({ orderId, children }: { orderId: string; children: React.ReactNode }) {
  async function send(): Promise<FormState> {
    try {
      const response = await fetch(`/api/orders/${orderId}/claim`, { method: 'POST' })
      if (response.ok) {
        window.location.assign(`/checkout/${orderId}`)
        // The form stays busy until the next page is there.
        return await new Promise<never>(() => {})
      }
      const { error } = (await response.json()) as { error: { message: string; requestId: string } }
      return {
        status: 'error',
        message: error.message,
        ...(response.status >= 500 && { requestId: error.requestId }),
      }
    } catch {
      return { status: 'error', message: 'We could not be reached. Please try again.' }
    }
  }

  return (
    <ActionForm action={send}>
      {() => <SubmitButton className="w-full sm:min-w-40">{children}</SubmitButton>}
    </ActionForm>
  )
}
