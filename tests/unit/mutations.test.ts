import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes'
import { BILLING_MUTATIONS } from '../mutations/billing'
import { MAIL_MUTATIONS } from '../mutations/mails'
import { MONEY_MUTATIONS } from '../mutations/money'
import { mutated } from '../mutations/mutation'
import { WEBHOOK_MUTATIONS } from '../mutations/webhooks'

describe('a mistake that npm run test:mutations makes', () => {
  it.each(
    [...WEBHOOK_MUTATIONS, ...MONEY_MUTATIONS, ...BILLING_MUTATIONS, ...MAIL_MUTATIONS].map((mutation) => ({
      mutation,
      ...mutation,
    })),
  )('still has its place in the code: $mistake (T2)', ({ mutation }) => {
    expect(mutated(root, mutation).text).toContain(mutation.put)
  })
})
