import type { Expiry } from './expiry'

export type SavedCard = {
  id: string
  brand: string
  last4: string
  expMonth: number
  expYear: number
  expiry: Expiry
  isDefault: boolean
}
