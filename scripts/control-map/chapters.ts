import { API_TO_TOKENS } from './asvs-api-to-tokens.ts'
import { AUTHENTICATION } from './asvs-authentication.ts'
import { CRYPTOGRAPHY_TO_CONFIGURATION } from './asvs-crypto-to-config.ts'
import { DATA_TO_WEBRTC } from './asvs-data-to-webrtc.ts'
import { ENCODING_TO_FRONTEND } from './asvs-encoding-to-frontend.ts'
import { BOOKING_GUIDE, MODULE_ALIGNMENT, SECURITY_AUDIT } from './demands-payments.ts'
import { STRIPE_CONSIDERATIONS, WEBHOOK_AUDIT } from './demands-stripe.ts'
import type { Chapter } from './render.ts'

/** OWASP Application Security Verification Standard 5.0.0: every requirement of levels 1 and 2. */
const ASVS = [
  ...ENCODING_TO_FRONTEND,
  ...API_TO_TOKENS,
  ...AUTHENTICATION,
  ...CRYPTOGRAPHY_TO_CONFIGURATION,
  ...DATA_TO_WEBRTC,
].toSorted((one, other) => one.id.localeCompare(other.id, 'en', { numeric: true }))

export const CHAPTERS: readonly Chapter[] = [
  { title: 'S0 Payment module alignment', rows: MODULE_ALIGNMENT },
  { title: 'S1 Payment security and implementation audit', rows: SECURITY_AUDIT },
  { title: 'S2 Stripe integration considerations', rows: STRIPE_CONSIDERATIONS },
  { title: 'S3 Booking-payments security guide', rows: BOOKING_GUIDE },
  { title: 'S4 Webhook processing and cache audit', rows: WEBHOOK_AUDIT },
  { title: 'ASVS 5.0.0, levels 1 and 2', rows: ASVS },
]
