import type Stripe from 'stripe'
import { newId, randomText } from '../core/ids.ts'
import type { Found, Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { invalidParameter, missingParameter } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { oneOf, unsupported, word } from '../http/params.ts'
import { referencedCustomer } from '../payments/find-customer.ts'
import { defaultConfiguration, getConfiguration } from './portal-configurations.ts'

/** The address is the key: whoever has it is the customer, for this long. */
const OPEN_SECONDS = 60 * 60

export const portalSessionOperations = [
  operation({
    method: 'POST',
    path: '/v1/billing_portal/sessions',
    params: {
      configuration: word(),
      customer: word(),
      locale: oneOf('auto', 'en'),
      return_url: word(),
      ...unsupported('after_expiration', 'customer_account', 'flow_data', 'on_behalf_of'),
    },
    handle(call, { configuration: named, customer: customerId, locale, return_url }) {
      const { store } = call
      if (!customerId) throw missingParameter('customer')
      const customer = referencedCustomer(store, customerId)
      const configuration = named ? getConfiguration(store, named, 400) : defaultConfiguration(store)
      const back = return_url ?? configuration.default_return_url
      if (back && !/^https?:$/.test(URL.canParse(back) ? new URL(back).protocol : '')) {
        throw invalidParameter('return_url', 'Not a valid URL', 'url_invalid')
      }
      const token = randomText(48)
      const session: Stripe.BillingPortal.Session = {
        id: newId('portal_session'),
        object: 'billing_portal.session',
        configuration: configuration.id,
        created: store.clock.now(),
        customer: customer.id,
        customer_account: null,
        flow: null,
        livemode: false,
        locale: locale ?? null,
        on_behalf_of: null,
        return_url: back,
        url: `${store.config.baseUrl}/p/session/${token}`,
      }
      store.insert('billing_portal.session', session, { token, expiresAt: session.created + OPEN_SECONDS })
      recordEvent(call, 'billing_portal.session.created', session)
      return session
    },
  }),
]

/** The session behind an address; null when there is none, or its time is over. */
export function findPortalSession(store: Store, token: string): Found<'billing_portal.session'> | null {
  const [found] = store.select('billing_portal.session', [
    { sql: "hidden ->> '$.token' = ?", values: [token] },
  ])
  return found && found.hidden.expiresAt > store.clock.now() ? found : null
}
