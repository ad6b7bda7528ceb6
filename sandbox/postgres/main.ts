import { numberSetting, runPart, setting } from '../part.ts'
import { bootstrap } from './bootstrap.ts'
import { startPostgres } from './server.ts'

await runPart(async () => {
  const server = await startPostgres({
    port: numberSetting('SANDBOX_POSTGRES_PORT'),
    stateDir: setting('SANDBOX_STATE_DIR'),
    installId: setting('SANDBOX_INSTALL_ID'),
    password: setting('SANDBOX_POSTGRES_PASSWORD'),
    fsync: process.env.SANDBOX_POSTGRES_FSYNC !== 'off',
    log: (line) => process.stderr.write(`${line}\n`),
  })
  try {
    await bootstrap({
      port: numberSetting('SANDBOX_POSTGRES_PORT'),
      superuserPassword: setting('SANDBOX_POSTGRES_PASSWORD'),
      postgresPassword: setting('SANDBOX_POSTGRES_ROLE_PASSWORD'),
      defaultPrivileges:
        process.env.SANDBOX_DEFAULT_PRIVILEGES === 'grant-nothing' ? 'grant-nothing' : 'grant-all',
    })
  } catch (error) {
    await server.close()
    throw error
  }

  let stopping = false
  void server.exited.then(() => {
    if (!stopping) process.exit(1)
  })
  return {
    close: () => {
      stopping = true
      return server.close()
    },
  }
})
