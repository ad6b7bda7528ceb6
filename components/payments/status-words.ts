import type { Tone } from '@/components/ui/notice'
import type { PaymentStatus } from '@/lib/payments/status'

type Words = { tone: Tone; word: string; explanation: string }

const NOT_PAID: Words = {
  tone: 'plain',
  word: 'Not paid',
  explanation: 'No card was charged. You can still pay from the order.',
}

/** What each state of a payment is called, and what it means for the customer. */
export const PAYMENT_WORDS: Record<PaymentStatus, Words> = {
  creating: {
    tone: 'plain',
    word: 'Starting',
    explanation: 'The payment is being prepared. No card was charged.',
  },
  unknown: {
    tone: 'warn',
    word: 'Checking',
    explanation: 'We are finding out how this payment stands. You cannot be charged twice for it.',
  },
  requires_payment_method: NOT_PAID,
  requires_confirmation: NOT_PAID,
  requires_action: {
    tone: 'warn',
    word: 'Waiting for you',
    explanation: 'Your bank wants you to confirm this payment. No card was charged yet.',
  },
  processing: {
    tone: 'warn',
    word: 'Processing',
    explanation: 'Your bank is working on it. There is nothing you need to do.',
  },
  requires_capture: {
    tone: 'warn',
    word: 'Reserved',
    explanation: 'The amount is set aside on your card and not charged yet.',
  },
  succeeded: { tone: 'good', word: 'Paid', explanation: 'We have received the money.' },
  canceled: {
    tone: 'plain',
    word: 'Cancelled',
    explanation: 'This payment was cancelled. No card was charged.',
  },
}
