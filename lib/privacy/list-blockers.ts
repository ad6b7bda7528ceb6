import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { Blocker } from './schema'

/** What keeps a person from deleting their account now; empty when nothing does. */
export async function listBlockers({ user }: { user: User }): Promise<Blocker[]> {
  return z.array(Blocker).parse(await callService('erasure_blockers', { p_actor: user.id }))
}
