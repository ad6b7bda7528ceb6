/** Run once per server process, before the first request is answered. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { exitOnBadSettings } = await import('./lib/exit-on-bad-settings')
    exitOnBadSettings()
  }
}
