import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { AppError } from '../errors'

/** Signing up is open to everybody: it must not cost a query each time. */
const KEPT_MS = 2_000

let known: { isOn: boolean; until: number } | null = null

/** @throws AppError sign_ups_paused while the switch is off; unavailable when that cannot be told */
export async function requireSignUps(): Promise<void> {
  const asked = Date.now()
  if (!known || known.until <= asked) {
    const isOn = z.boolean().parse(await callService('is_switched_on', { p_name: 'sign_ups' }))
    known = { isOn, until: asked + KEPT_MS }
  }
  if (!known.isOn) throw new AppError('sign_ups_paused', { retryAfterSeconds: 60 })
}
