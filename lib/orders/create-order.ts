import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService, databaseCode } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import type { CreateOrderInput } from './schema'

const Created = z.object({ id: z.uuid() })

/**
 * Place an order. What it costs is the catalogue's to say.
 * @throws AppError not_found for a product that is not for sale, bad_request for a quantity out of range
 */
export async function createOrder({
  user,
  input,
}: {
  user: User
  input: CreateOrderInput
}): Promise<{ id: string }> {
  try {
    const created = await callService('create_order', {
      p_actor: user.id,
      p_livemode: env().livemode,
      p_product_id: input.productId,
      p_quantity: input.quantity,
    })
    return Created.parse(created)
  } catch (error) {
    if (databaseCode(error) === 'P0002') throw new AppError('not_found', { cause: error })
    // The account went away while its token was still good.
    if (databaseCode(error) === '23503') throw new AppError('sign_in_required', { cause: error })
    if (databaseCode(error) === '22023') throw new AppError('bad_request', { cause: error })
    throw error
  }
}
