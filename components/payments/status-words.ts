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

/** What a paid payment is called when money went back. */
export const REFUNDED_WORDS: Record<'partly' | 'wholly', Words> = {
  partly: {
    tone: 'good',
    word: 'Partly refunded',
    explanation: 'You paid, and a part of it was sent back to your card.',
  },
  wholly: {
    tone: 'plain',
    word: 'Refunded',
    explanation: 'You paid, and all of it was sent back to your card.',
  },
}

/** How money that goes back is doing, in Stripe's words and ours. */
export const REFUND_WORDS: Readonly<Record<string, Words>> = {
  pending: { tone: 'warn', word: 'On its way', explanation: 'Banks take a few days for it.' },
  requires_action: { tone: 'warn', word: 'On its way', explanation: 'Banks take a few days for it.' },
  succeeded: {
    tone: 'good',
    word: 'Sent back',
    explanation: 'It is on its way to your account, or there already.',
  },
  failed: {
    tone: 'bad',
    word: 'Did not arrive',
    explanation: 'Your bank did not take the money back. Get in touch with us.',
  },
  canceled: { tone: 'plain', word: 'Cancelled', explanation: 'This refund was taken back.' },
}

export const DISPUTE_WORDS: Readonly<Record<string, Words>> = {
  won: { tone: 'plain', word: 'Payment stands', explanation: 'The bank decided that the payment stands.' },
  lost: { tone: 'plain', word: 'Money went back', explanation: 'The bank gave the money back to you.' },
}

export const DISPUTE_OPEN: Words = {
  tone: 'warn',
  word: 'Under review',
  explanation: 'Your bank looks into it. This can take weeks.',
}
