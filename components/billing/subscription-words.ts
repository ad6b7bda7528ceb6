import type { Tone } from '@/components/ui/notice'
import type { MySubscription } from '@/lib/billing/my-subscriptions'

type Words = { tone: Tone; word: string; explanation: string }

const WORDS: Record<string, Words> = {
  active: { tone: 'good', word: 'Active', explanation: 'It is paid, and renews by itself.' },
  trialing: { tone: 'good', word: 'Trial', explanation: 'Nothing is charged until the trial is over.' },
  past_due: { tone: 'warn', word: 'Payment owed', explanation: 'The last payment did not go through.' },
  unpaid: { tone: 'bad', word: 'Not paid', explanation: 'Several payments did not go through.' },
  paused: { tone: 'plain', word: 'Paused', explanation: 'Nothing is charged while it is paused.' },
  incomplete: { tone: 'warn', word: 'Not finished', explanation: 'The first payment is missing still.' },
  incomplete_expired: {
    tone: 'plain',
    word: 'Never begun',
    explanation: 'The first payment was not made in time. Nothing was charged.',
  },
  canceled: { tone: 'plain', word: 'Ended', explanation: 'Nothing is charged any more.' },
}

/** What the state of a subscription is called, and what it means for the person. */
export function subscriptionWords({ status, cancelAt }: Pick<MySubscription, 'status' | 'cancelAt'>): Words {
  if (cancelAt && (status === 'active' || status === 'trialing')) {
    return {
      tone: 'warn',
      word: 'Ending',
      explanation: 'It was cancelled and ends by itself. You can resume it.',
    }
  }
  return (
    WORDS[status] ?? { tone: 'plain', word: 'Checking', explanation: 'We are finding out how it stands.' }
  )
}

export const isOver = ({ status }: Pick<MySubscription, 'status'>): boolean =>
  status === 'canceled' || status === 'incomplete_expired'
