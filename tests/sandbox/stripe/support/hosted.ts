import { send } from './local-stripe.ts'

export type PageCard = { number: string; exp_month: number; exp_year: number; cvc: string }

export const pageCard = (number = '4242424242424242'): PageCard => ({
  number,
  exp_month: 12,
  exp_year: new Date().getFullYear() + 2,
  cvc: '123',
})

/** What a hosted page sends when its button is pressed. */
export async function press(
  url: string,
  address: string,
  body: object,
): Promise<{ redirectTo?: string; message?: string }> {
  const { pathname, search } = new URL(address, url)
  const { body: answer } = await send(url, pathname + search, {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', origin: url },
  })
  return answer
}

/** The customer types a card into the Checkout page and pays. */
export function payOnPage(
  url: string,
  session: string,
  { number, email = 'ada@example.com' }: { number?: string; email?: string } = {},
) {
  return press(url, `/c/pay/${session}`, { email, card: pageCard(number) })
}

/** The bank's answer on the page of a challenge; returns where the customer goes from there. */
export async function answerBank(url: string, challenge: string, answer: 'pass' | 'fail'): Promise<string> {
  const { body } = await send(url, new URL(challenge).pathname, {
    body: JSON.stringify({ answer }),
    headers: { 'content-type': 'application/json', origin: url },
  })
  return String(body.redirectTo)
}
