import type { Tone } from '@/components/ui/notice'
import { declineWords } from './decline-words'
import type { PaymentWatch } from './use-payment-watch'

/** What the result page shows: one headline, one explanation, and which way leads on. */
export type ResultView = {
  sign: 'busy' | 'done' | 'waiting' | 'attention'
  tone: Tone
  title: string
  text: string
  next: 'none' | 'receipt' | 'pay' | 'order' | 'check'
}

/** Turn what the server said into words. Until it has asked Stripe, "not paid yet" may just be early, so we wait. */
export function resultView({ payment, verified, gaveUp }: PaymentWatch): ResultView {
  switch (payment.status) {
    case 'succeeded':
      return {
        sign: 'done',
        tone: 'good',
        title: 'Payment received',
        text: 'Thank you. Your order is paid.',
        next: 'receipt',
      }
    case 'canceled':
      return {
        sign: 'attention',
        tone: 'plain',
        title: 'Payment cancelled',
        text: 'Nothing was charged. You can pay again from the order.',
        next: 'order',
      }
    case 'processing':
    case 'requires_capture':
      return {
        sign: 'waiting',
        tone: 'warn',
        title: 'Payment is processing',
        text: 'Your bank is still working on it. Closing this page is safe: the answer will be under Payments.',
        next: gaveUp ? 'check' : 'receipt',
      }
    case 'requires_action':
      if (!verified) return CHECKING
      return {
        sign: 'attention',
        tone: 'warn',
        title: 'Your bank needs your confirmation',
        text: 'The payment waits for you. Nothing was charged yet.',
        next: 'pay',
      }
    case 'requires_payment_method':
    case 'requires_confirmation':
      if (!verified) return gaveUp ? SILENCE : CHECKING
      return {
        sign: 'attention',
        tone: 'bad',
        title: 'Payment did not go through',
        text: payment.failureHint
          ? declineWords({ code: payment.failureHint })
          : 'Nothing was charged. You can try again.',
        next: 'pay',
      }
    case 'creating':
    case 'unknown':
      return gaveUp ? SILENCE : CHECKING
  }
}

const CHECKING: ResultView = {
  sign: 'busy',
  tone: 'plain',
  title: 'Checking your payment',
  text: 'This takes a few seconds. The page updates by itself.',
  next: 'none',
}

const SILENCE: ResultView = {
  sign: 'waiting',
  tone: 'warn',
  title: 'No answer yet',
  text: 'We do not know yet how this payment ended. Closing this page is safe: the answer will be under Payments.',
  next: 'check',
}
