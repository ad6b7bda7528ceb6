import 'server-only'
import { log } from '../log'
import { noteActor } from '../request-context'
import { beginSession } from './begin-session'
import { authFailure } from './failure'
import { limitSignIn } from './limit-sign-in'
import { untilNextStep } from './steady-time'

/** Longer than Auth takes for a wrong password, on a busy day too. */
const STEP_MS = 1_000

/** @throws AppError wrong_credentials (also for an unconfirmed account), too_many_sign_ins, too_many_requests, unavailable */
export async function signIn(input: {
  email: string
  password: string
  next: string
}): Promise<{ next: string }> {
  const attempt = await limitSignIn(input.email)
  const startedAt = performance.now()
  const { data, error } = await beginSession((client) =>
    client.auth.signInWithPassword({ email: input.email, password: input.password }),
  )
  if (error) {
    const failure = authFailure(error)
    // What is our own fault does not use up anybody's attempts, and tells nothing of accounts.
    if (failure.status >= 500) await attempt.giveBack()
    else await untilNextStep(startedAt, STEP_MS)
    throw failure
  }
  await attempt.giveBack()
  noteActor(data.user.id)
  log.security('signed_in')
  return { next: input.next }
}
