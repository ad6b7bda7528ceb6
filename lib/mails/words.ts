import { formatMoney } from '../money'
import type { MailFacts } from './facts'

export type MailWords = {
  /** Shown on locked screens and kept by every server on the way: it never names an amount. */
  subject: string
  paragraphs: string[]
  link: { text: string; path: string }
}

/** What a mail says. */
export function wordsOf({ kind, facts }: MailFacts): MailWords {
  switch (kind) {
    case 'receipt':
      return {
        subject: facts.reference ? `Your receipt for order ${facts.reference}` : 'Your receipt',
        paragraphs: [
          `Thank you. We have received your payment of ${formatMoney(facts.amountMinor, facts.currency)}${forOrder(facts.reference)}.`,
        ],
        link: { text: 'See the payment', path: `/payments/${facts.paymentId}` },
      }
    case 'refund':
      return {
        subject: facts.reference ? `Your refund for order ${facts.reference}` : 'Your refund',
        paragraphs: [
          `We have sent ${formatMoney(facts.amountMinor, facts.currency)} back to you${forOrder(facts.reference)}. It goes to the card you paid with.`,
          'Banks take five to ten days until they show it.',
        ],
        link: { text: 'See the payment', path: `/payments/${facts.paymentId}` },
      }
    case 'failed_payment':
      return 'path' in facts
        ? {
            subject: 'A payment did not go through',
            paragraphs: [`Your payment for ${facts.name} did not go through. Nothing was charged.`],
            link: { text: 'Check your card', path: facts.path },
          }
        : {
            subject: 'Your payment did not go through',
            paragraphs: [
              `Your bank did not accept the payment${forOrder(facts.reference)}. Nothing was charged.`,
              'You can try again, with another card if you like. Your order is kept.',
            ],
            link: { text: 'Try again', path: `/checkout/${facts.orderId}` },
          }
    case 'action_needed':
      return {
        subject: 'Your bank asks you to confirm a payment',
        paragraphs: [
          `Your bank wants you to confirm the payment for ${facts.name}. It is not made until you do; it takes a minute.`,
        ],
        link: { text: 'Confirm the payment', path: facts.path },
      }
    case 'grace_started':
      return {
        subject: 'We could not renew your subscription',
        paragraphs: [
          `The payment for ${facts.name} did not go through. Everything works as before until ${dateAndTime(facts.endsAt)}.`,
          'To keep it after that, please check your card.',
        ],
        link: { text: 'Check your card', path: facts.path },
      }
    case 'card_expiring':
      return {
        subject: 'Your saved card expires soon',
        paragraphs: [
          `Your ${facts.brand} card ending in ${facts.last4} expires at the end of ${month(facts.expMonth, facts.expYear)}. Save another one, so that payments go on without a break.`,
        ],
        link: { text: 'See your cards', path: facts.path },
      }
    case 'payment_request':
      return {
        subject: `A payment request: order ${facts.reference}`,
        paragraphs: [
          `Order ${facts.reference} is waiting for your payment, until ${dateAndTime(facts.expiresAt)}.`,
          'Sign in with this e-mail address to see what it is for and to pay. If you have no account yet, make one with this address first.',
          'If you did not expect this, you need not do anything.',
        ],
        link: { text: 'See the order', path: `/orders/${facts.orderId}` },
      }
  }
}

const forOrder = (reference: string | null) => (reference ? ` for order ${reference}` : '')

function dateAndTime(iso: string): string {
  const words = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
  return `${words.format(new Date(iso))} UTC`
}

function month(number: number, year: number): string {
  return new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    Date.UTC(year, number - 1),
  )
}
