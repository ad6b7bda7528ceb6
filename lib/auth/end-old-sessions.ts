import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'

/** By the limits of lib/edge/session-lifetime.ts. A refresh token then is of no use outside the app either. */
export async function endOldSessions(): Promise<number> {
  return z.number().parse(await callService('end_old_sessions', {}))
}
