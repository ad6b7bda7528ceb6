import type { Sandbox } from '../sandbox/start.ts'

const TEST_CARDS: [string, string][] = [
  ['4242 4242 4242 4242', 'pays'],
  ['4000 0000 0000 0002', 'is declined'],
  ['4000 0000 0000 9995', 'has insufficient funds'],
  ['4000 0025 0000 3155', 'asks for 3-D Secure'],
  ['4000 0027 6000 3184', 'asks for 3-D Secure every time'],
]

/** What a person needs in order to make the first payment. */
export function printReady(options: { seconds: number; address: string; sandbox: Sandbox | null }): void {
  const { seconds, address, sandbox } = options
  const lines = [`Paywright is ready after ${seconds} s.`, '', row('App', address)]
  if (sandbox === null) {
    lines.push('', 'It uses the provider accounts that your settings name.')
  } else {
    const { customer, staff } = sandbox.demo
    const widest = Math.max(customer.email.length, staff.email.length)
    lines.push(
      row('Mailbox', `http://127.0.0.1:${sandbox.ports.mailbox}`),
      row('Stripe', `http://127.0.0.1:${sandbox.ports.stripe}`),
      '',
      row('Customer', `${customer.email.padEnd(widest)}   password  ${customer.password}`),
      row('Staff', `${staff.email.padEnd(widest)}   password  ${staff.password}`),
      '',
      ...TEST_CARDS.map(([number, effect], index) =>
        row(index === 0 ? 'Cards' : '', `${number}   ${effect}`),
      ),
      row('', 'Any future date, any CVC.'),
    )
  }
  lines.push('', 'Ctrl-C stops everything. npm run dev -- --reset starts with fresh data.')
  console.log(`\n${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}\n`)
}

function row(label: string, value: string): string {
  return `${label.padEnd(11)}${value}`
}
