import 'server-only'
import { errorFields, log } from '../log'
import { processWide } from '../process-wide'
import { drain } from './drain'

const NEXTS_LISTENER = Symbol.for('next.unhandledRejectionListener')

/**
 * What nobody caught is written down, as one record. After an exception the process ends and is started again: it may have
 * stopped half-way through anything, and everything we do survives that. A rejection that nobody waited for leaves nothing
 * half-done (React starts work early and drops it), so the process goes on.
 */
export function catchTheUncaught(): void {
  const state = processWide('uncaught', () => ({ isDying: false }))
  // Instead of a listener: Next has one that prints the error and goes on as if nothing had been.
  process.setUncaughtExceptionCaptureCallback((error) => {
    log.error('uncaught_exception', errorFields(error))
    if (state.isDying) return
    state.isDying = true
    void drain('uncaught_exception').finally(() => process.exit(1))
  })

  const shelf = globalThis as Record<symbol, unknown>
  const nexts = shelf[NEXTS_LISTENER]
  if (typeof nexts === 'function') process.off('unhandledRejection', nexts as () => void)
  const ours = (reason: unknown) => log.error('unhandled_rejection', errorFields(reason))
  // Under this name Next takes ours for its own, and adds none.
  shelf[NEXTS_LISTENER] = ours
  process.on('unhandledRejection', ours)
}
