import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const PACKAGE = resolve(import.meta.dirname, '../../../node_modules/stripe')
const RESOURCES = join(PACKAGE, 'esm/resources')

/**
 * The part of the API that this stand-in is about, as the SDK's files. Objects of other files appear where an answer holds them whole; where
 * an id can stand for them, only the id is allowed.
 */
export const SCOPE = [
  'Balance',
  'BalanceTransactions',
  'BillingPortal/Configurations',
  'BillingPortal/Sessions',
  'Charges',
  'Checkout/Sessions',
  'ConfirmationTokens',
  'Coupons',
  'CustomerBalanceTransactions',
  'CustomerSessions',
  'Customers',
  'Discounts',
  'Disputes',
  'Events',
  'InvoiceItems',
  'InvoiceLineItems',
  'InvoicePayments',
  'Invoices',
  'LineItems',
  'Mandates',
  'PaymentIntents',
  'PaymentMethods',
  'Plans',
  'Prices',
  'Products',
  'PromotionCodes',
  'Radar/EarlyFraudWarnings',
  'Refunds',
  'SetupAttempts',
  'SetupIntents',
  'SubscriptionItems',
  'Subscriptions',
  'TaxIds',
  'TaxRates',
  'TestHelpers/ConfirmationTokens',
  'TestHelpers/TestClocks',
  'WebhookEndpoints',
] as const

export const typesOf = (resource: string) => join(RESOURCES, `${resource}.d.ts`)
export const codeOf = (resource: string) => join(RESOURCES, `${resource}.js`)

/** `BillingPortal/Sessions` for a file of resources, null for another one. */
export function resourceOf(file: string): string | null {
  return /\/stripe\/esm\/resources\/(.+)\.d\.ts$/.exec(file.replaceAll('\\', '/'))?.[1] ?? null
}

export function sdkVersions(): { apiVersion: string; sdk: string; openApi: string } {
  const read = (file: string) => readFileSync(join(PACKAGE, file), 'utf8').trim()
  const [, apiVersion] = /ApiVersion = '([^']+)'/.exec(read('esm/apiVersion.js')) ?? []
  if (!apiVersion) throw new Error('The installed stripe package does not say its API version')
  return { apiVersion, sdk: read('VERSION'), openApi: read('OPENAPI_VERSION') }
}
