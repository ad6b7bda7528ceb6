import type { Instrumentation } from 'next'
import { isDevelopment, isOnPlatform } from './lib/public-env'

/** Run once per server process, before the first request is answered. */
export async function register(): Promise<void> {
  // biome-ignore lint/style/noProcessEnv: no setting but a constant of the build, and what keeps the rest out of the one for Edge
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { startProcess } = await import('./lib/process/start')
    startProcess({ isDevelopment, isOnPlatform })
  }
}

/** What a page, or a handler that is not wrapped, threw: told to the log here and nowhere else. */
export const onRequestError: Instrumentation.onRequestError = async (error, request, context) => {
  const { logRequestError } = await import('./lib/log-request-error')
  logRequestError(error, request, context)
}
