import 'server-only'
import { z } from 'zod'
import { hashOfApiKey } from '../api-keys/secret'
import { callService, databaseCode } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { noteActor } from '../request-context'

export type ApiScope = 'orders:create' | 'orders:read' | 'entitlements:read'

/** Another system that asks, by the key it holds. */
export type ApiCaller = z.infer<typeof ApiCaller>
const ApiCaller = z.object({ id: z.uuid(), name: z.string() })

/**
 * Which system asks, by `Authorization: Bearer pwk_…`. A key that is unknown, revoked, of the other mode or run out gets one and
 * the same answer, after one and the same look-up. What the system then does is checked again by the function that does it.
 * @throws AppError not_authorized; forbidden without the scope
 */
export async function requireApiKey(request: Request, scope: ApiScope): Promise<ApiCaller> {
  const given = /^Bearer (\S{1,200})$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
  const caller = await find(given, scope)
  noteActor(caller.id)
  return caller
}

async function find(given: string, scope: ApiScope): Promise<ApiCaller> {
  try {
    const known = await callService('use_api_key', {
      p_livemode: env().livemode,
      p_key_hash: hashOfApiKey(given),
      p_scope: scope,
    })
    return ApiCaller.parse(known)
  } catch (error) {
    const code = databaseCode(error)
    if (code !== '28000' && code !== '42501') throw error
    throw new AppError(code === '28000' ? 'not_authorized' : 'forbidden', { cause: error })
  }
}
