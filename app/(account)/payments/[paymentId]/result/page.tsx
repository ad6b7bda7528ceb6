import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { PaymentResult } from '@/components/payments/payment-result'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { isAppError } from '@/lib/errors'
import { getPayment } from '@/lib/payments/get-payment'

// Stripe returns here with the client secret in the address; it must not travel on as a referrer.
export const metadata: Metadata = { title: 'Payment result', referrer: 'no-referrer' }

type ResultPageProps = { params: Promise<{ paymentId: string }> }

export default async function ResultPage({ params }: ResultPageProps) {
  const { paymentId } = await params
  const user = await requireUserOrSignIn(`/payments/${paymentId}/result`)
  const payment = await getPayment({ user, paymentId }).catch((error: unknown) => {
    if (isAppError(error, 'not_found')) notFound()
    throw error
  })

  return (
    <div className="column-narrow sm:py-6">
      <PaymentResult initial={payment} />
    </div>
  )
}
