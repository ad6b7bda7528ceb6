import { numberSetting, runPart, setting } from '../part.ts'
import { startUpstash } from './server.ts'

await runPart(() =>
  startUpstash({
    port: numberSetting('SANDBOX_UPSTASH_PORT'),
    token: setting('UPSTASH_REDIS_REST_TOKEN'),
    localSecret: setting('SANDBOX_LOCAL_SECRET'),
    redisUrl: process.env.REDIS_URL || undefined,
  }),
)
