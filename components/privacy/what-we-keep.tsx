import { Facts } from '@/components/ui/panel'

/** The ages of docs/privacy.md, for people. */
export function WhatWeKeep() {
  return (
    <Facts
      facts={[
        { term: 'Your e-mail address and your sign-in', value: 'until you delete your account' },
        { term: 'Orders, payments, refunds and disputes', value: 'as long as the law wants books kept' },
        {
          term: 'The last digits and the expiry of cards you paid with',
          value: 'until you delete your account',
        },
        { term: 'Orders you never tried to pay', value: '90 days' },
        { term: 'What our payment provider told us about a payment', value: '90 days' },
        { term: 'Where you paid from, as a code nobody can read', value: '30 days' },
        { term: 'When you signed in', value: '90 days' },
      ]}
    />
  )
}
