import 'server-only'
import { z } from 'zod'
import type { ApiCaller } from '../auth/require-api-key'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { type Answer, AnswerSchema, cachedAnswer, keepAnswer } from './entitlement-cache'

export type { Entitlement } from './entitlement-cache'

/**
 * What may this person use now? From the cache when it has an answer that still holds, else from the database; without Redis
 * the same, a little slower.
 * @throws AppError not_found when there is no such customer
 */
export async function getEntitlements(customerId: string): Promise<Answer['entitlements']> {
  const cached = await cachedAnswer(customerId)
  if (cached) return cached.entitlements
  const loaded = await callService('entitlements', {
    p_livemode: env().livemode,
    p_customer_id: customerId,
  })
  if (loaded === null) throw new AppError('not_found')
  const answer = AnswerSchema.parse(loaded)
  await keepAnswer(answer)
  return answer.entitlements
}

/** @throws AppError not_found, forbidden */
export async function getEntitlementsForApi(input: {
  caller: ApiCaller
  customerId: string
}): Promise<Answer['entitlements']> {
  await inWords(
    callService('require_entitlements_key', {
      p_api_key_id: input.caller.id,
      p_livemode: env().livemode,
      p_customer_id: input.customerId,
    }),
  )
  return await getEntitlements(input.customerId)
}

/** The customer a person is; null for somebody who has never ordered anything. */
export async function customerOf(userId: string): Promise<string | null> {
  return z
    .uuid()
    .nullable()
    .parse(await callService('customer_of_person', { p_actor: userId }))
}
