// `npm run dev`: everything a payment needs on this computer. `npm run dev -- --reset` starts with fresh data.
import { onStopRequest } from './processes.ts'

// Loading the rest takes a moment in which Ctrl-C must already mean what it means later.
const loading = import('./dev-session.ts')

onStopRequest(async () => {
  console.log('\nStopping.')
  await (await loading).stopSession()
  process.exit(0)
})

await (await loading).startSession()
