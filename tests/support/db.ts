import postgres from 'postgres'
import { stack } from './stack-in-test'

let admin: postgres.Sql | undefined
let service: postgres.Sql | undefined

/** As the role that owns the tables: for arranging and for looking, never for what is being tested. */
export function adminSql(): postgres.Sql {
  admin ??= postgres(stack().adminDatabaseUrl, { max: 5, onnotice: () => {} })
  return admin
}

/** Call a function as the app's server does, signed in as payments_service. */
export async function callService<Result>(name: string, args: Record<string, unknown>): Promise<Result> {
  service ??= postgres(stack().env.DATABASE_URL ?? '', { max: 5, prepare: false, onnotice: () => {} })
  const sql = service
  const names = Object.keys(args)
  const values = Object.values(args).map((value) =>
    value !== null && typeof value === 'object' ? sql.json(value as postgres.JSONValue) : value,
  )
  const list = names.map((argument, index) => `${argument} => $${index + 1}`).join(', ')
  const [row] = await sql.unsafe(
    `select service.${name}(${list}) as result`,
    values as postgres.ParameterOrJSON<never>[],
  )
  return row?.result as Result
}
