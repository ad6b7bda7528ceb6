import 'server-only'
import { giveUpSlowBodies } from './body-deadline'
import { captureOutput } from './capture-output'
import { drainOnRequest } from './drain'
import { exitOnBadSettings } from './exit-on-bad-settings'
import { catchTheUncaught } from './last-words'
import { numberRequests } from './requests'
import { writeWithPino } from './write-with-pino'

/** Once per server process, before the first request is answered. */
export function startProcess(options: { isDevelopment: boolean; isOnPlatform: boolean }): void {
  exitOnBadSettings()
  giveUpSlowBodies()
  numberRequests({ trustsHeader: options.isOnPlatform })
  // A developer wants to see errors whole, and Next's own way to restart.
  if (options.isDevelopment) return
  writeWithPino()
  captureOutput()
  catchTheUncaught()
  drainOnRequest()
}
