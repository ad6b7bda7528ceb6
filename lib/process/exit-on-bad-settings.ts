import 'server-only'
import { EnvError, env } from '../env'

/**
 * End the process on bad settings. `npm start` has checked them before anything listens; this is for whoever starts Next
 * by other means, where a throw alone would leave a server behind that answers 500.
 */
export function exitOnBadSettings(): void {
  try {
    env()
  } catch (error) {
    console.error(error instanceof EnvError ? error.message : 'Settings are not usable')
    process.exit(1)
  }
}
