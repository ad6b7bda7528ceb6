import { z } from 'zod'
import { Reason } from '../staff/schema'

export const ApiKeyInput = z.strictObject({
  /** The system that will hold it. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{1,39}$/),
  scopes: z
    .array(z.enum(['orders:create', 'orders:read', 'entitlements:read']))
    .min(1)
    .max(3),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
  reason: Reason,
})
export type ApiKeyInput = z.infer<typeof ApiKeyInput>

export const RevocationInput = z.strictObject({ reason: Reason })

export const ApiKey = z.object({
  id: z.uuid(),
  name: z.string(),
  /** How it begins: enough to tell it from others, too little to use it. */
  prefix: z.string(),
  livemode: z.boolean(),
  scopes: z.array(z.string()),
  createdBy: z.uuid(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
})
export type ApiKey = z.infer<typeof ApiKey>
