/**
 * Refuse to run on bad settings. `npm start` has checked them before anything listens; this is for whoever starts Next
 * by other means, where a throw alone would leave a server behind that answers 500.
 */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { env } = await import('./lib/env')
  try {
    env()
  } catch (error) {
    console.error(error instanceof Error ? error.message : 'Settings are not usable')
    process.exit(1)
  }
}
