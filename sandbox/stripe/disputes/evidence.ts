import type Stripe from 'stripe'
import { fields, text, unsupported } from '../http/params.ts'

/** What a merchant can say in their defence. Files are named by id only; there are no files here. */
const TEXTS = {
  access_activity_log: text({ max: 20_000 }),
  billing_address: text(),
  cancellation_policy: text(),
  cancellation_policy_disclosure: text({ max: 20_000 }),
  cancellation_rebuttal: text({ max: 20_000 }),
  customer_communication: text(),
  customer_email_address: text(),
  customer_name: text(),
  customer_purchase_ip: text(),
  customer_signature: text(),
  duplicate_charge_documentation: text(),
  duplicate_charge_explanation: text({ max: 20_000 }),
  duplicate_charge_id: text(),
  product_description: text({ max: 20_000 }),
  receipt: text(),
  refund_policy: text(),
  refund_policy_disclosure: text({ max: 20_000 }),
  refund_refusal_explanation: text({ max: 20_000 }),
  service_date: text(),
  service_documentation: text(),
  shipping_address: text(),
  shipping_carrier: text(),
  shipping_date: text(),
  shipping_documentation: text(),
  shipping_tracking_number: text(),
  uncategorized_file: text(),
  uncategorized_text: text({ max: 20_000 }),
}

export const evidenceParam = fields({ ...TEXTS, ...unsupported('appeal', 'enhanced_evidence') })

/** What is known from the payment itself is filled in. */
export function emptyEvidence(charge: Stripe.Charge): Stripe.Dispute.Evidence {
  return {
    access_activity_log: null,
    billing_address: null,
    cancellation_policy: null,
    cancellation_policy_disclosure: null,
    cancellation_rebuttal: null,
    customer_communication: null,
    customer_email_address: charge.billing_details.email,
    customer_name: charge.billing_details.name,
    customer_purchase_ip: null,
    customer_signature: null,
    duplicate_charge_documentation: null,
    duplicate_charge_explanation: null,
    duplicate_charge_id: null,
    enhanced_evidence: {},
    product_description: null,
    receipt: null,
    refund_policy: null,
    refund_policy_disclosure: null,
    refund_refusal_explanation: null,
    service_date: null,
    service_documentation: null,
    shipping_address: null,
    shipping_carrier: null,
    shipping_date: null,
    shipping_documentation: null,
    shipping_tracking_number: null,
    uncategorized_file: null,
    uncategorized_text: null,
  }
}
