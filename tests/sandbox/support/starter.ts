// A process of its own that starts a sandbox, for tests that kill it. Prints one line of JSON when ready.
import { startSandbox } from '../../../sandbox/start.ts'

const [stateDir = '', ports = ''] = process.argv.slice(2)
try {
  const sandbox = await startSandbox({
    stateDir,
    ports: JSON.parse(ports),
    appOrigin: 'http://localhost:3000',
    tuning: { fsync: false, mailIntervalSeconds: 0 },
  })
  const { stop, ...plain } = sandbox
  console.log(JSON.stringify(plain))
  process.on('SIGTERM', () => void stop().then(() => process.exit(0)))
} catch (error) {
  console.log(JSON.stringify({ failed: String(error) }))
  process.exit(1)
}
