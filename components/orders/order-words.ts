import type { Tone } from '@/components/ui/notice'
import type { OrderView } from '@/lib/orders/get-order'

type Words = { tone: Tone; word: string; explanation: string }

/** What each state of an order is called, and what it means for the customer. */
export const ORDER_WORDS: Record<OrderView['status'], Words> = {
  open: { tone: 'plain', word: 'To pay', explanation: 'Nothing has been charged yet.' },
  paid: { tone: 'good', word: 'Paid', explanation: 'We have received the money for this order.' },
  canceled: {
    tone: 'plain',
    word: 'Cancelled',
    explanation: 'This order was cancelled. There is nothing to pay.',
  },
  expired: {
    tone: 'plain',
    word: 'Expired',
    explanation: 'This order was open for too long. Order again from the catalogue to pay today.',
  },
}
