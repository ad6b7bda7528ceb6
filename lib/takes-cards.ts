/** Pages where a card is entered. Only they may speak to Stripe, and only they are reached by a full document load. */
const TAKES_CARDS = /^\/(?:checkout\/|cards\/new$)/

export function takesCards(path: string): boolean {
  return TAKES_CARDS.test(path)
}
