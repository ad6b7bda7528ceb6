import type { Instrumentation } from 'next'

/** Run once per server process, before the first request is answered. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { startProcess } = await import('./lib/process/start')
    startProcess({
      isDevelopment: process.env.NODE_ENV === 'development',
      isOnPlatform: process.env.VERCEL !== undefined,
    })
  }
}

/** What a page, or a handler that is not wrapped, threw: told to the log here and nowhere else. */
export const onRequestError: Instrumentation.onRequestError = async (error, request, context) => {
  const { logRequestError } = await import('./lib/log-request-error')
  logRequestError(error, request, context)
}
