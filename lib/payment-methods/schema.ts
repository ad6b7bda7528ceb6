import { z } from 'zod'
import { CARD_CONSENT } from './consent'

/** Without consent, to the words as they are now, no card is kept. */
export const AddCardInput = z.strictObject({ consent: z.literal(CARD_CONSENT.version) })
