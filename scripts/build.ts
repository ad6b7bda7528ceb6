// `npm run build`: the production build. It reads no settings.
import { onStopRequest } from './processes.ts'
import { build } from './production-build.ts'

onStopRequest(() => {})
process.exit(await build(process.argv.slice(2)))
