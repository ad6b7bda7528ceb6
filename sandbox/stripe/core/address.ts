import type Stripe from 'stripe'
import { fields, type ReadParams, required, text } from '../http/params.ts'

const addressFields = {
  city: text(),
  country: text(),
  line1: text(),
  line2: text(),
  postal_code: text(),
  state: text(),
}

export const address = () => fields(addressFields)

const recipientFields = { address: required(address()), name: required(text()), phone: text() }

/** Where a customer's goods go; how they go there is known of a payment only. */
export const recipient = () => fields(recipientFields)

const shippingFields = { ...recipientFields, carrier: text(), tracking_number: text() }

export const shipping = () => fields(shippingFields)

const billingFields = { address: address(), email: text(), name: text(), phone: text(), tax_id: text() }

export const billingDetails = () => fields(billingFields)

export function toAddress(given: ReadParams<typeof addressFields> | undefined): Stripe.Address {
  return {
    city: given?.city ?? null,
    country: given?.country ?? null,
    line1: given?.line1 ?? null,
    line2: given?.line2 ?? null,
    postal_code: given?.postal_code ?? null,
    state: given?.state ?? null,
  }
}

export function toShipping(
  given: ReadParams<typeof recipientFields> & Partial<ReadParams<typeof shippingFields>>,
) {
  return {
    address: toAddress(given.address),
    carrier: given.carrier ?? null,
    name: given.name,
    phone: given.phone ?? null,
    tracking_number: given.tracking_number ?? null,
  }
}

export function toBillingDetails(given: ReadParams<typeof billingFields> | undefined) {
  return {
    address: toAddress(given?.address),
    email: given?.email ?? null,
    name: given?.name ?? null,
    phone: given?.phone ?? null,
    tax_id: given?.tax_id ?? null,
  }
}
