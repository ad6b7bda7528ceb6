const VARIABLE = 'PAYWRIGHT_SIMULATION_DATABASES'

/** One database each. */
export const LANES = ['simulation_even', 'simulation_odd', 'simulation_simulator'] as const
export type Lane = (typeof LANES)[number]

type Shared = {
  /** The app's settings. */
  env: Record<string, string>
  lanes: { superuserUrl: string; serviceUrl: string }[]
}

/** For the processes that run the tests: they inherit the environment. */
export function shareDatabases(shared: Shared): void {
  process.env[VARIABLE] = JSON.stringify(shared)
}

/** Point the app at the database of a lane. Answers the address that may do anything in it. */
export function enterLane(lane: Lane): string {
  const { env, lanes } = JSON.parse(process.env[VARIABLE] ?? '{"env":{},"lanes":[]}') as Shared
  const database = lanes[LANES.indexOf(lane)]
  if (!database) throw new Error('the databases of the simulation were not started')
  Object.assign(process.env, env, { DATABASE_URL: database.serviceUrl })
  return database.superuserUrl
}
