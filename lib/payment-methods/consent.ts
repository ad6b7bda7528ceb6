/**
 * What a person agrees to when they save a card. New words get a new version: it is the words, and not the version, that are
 * kept with the time, and a page that shows older words is told to load again.
 */
export const CARD_CONSENT = {
  version: '2026-11-26',
  text:
    'I agree that Paywright keeps this card with Stripe, so that I can pay with it again, and that it is charged for ' +
    'subscriptions I start with it. I can remove it at any time.',
}
