import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService, databaseCode, databaseDetail } from '../db/sql'
import { AppError } from '../errors'
import { errorFields, log } from '../log'

const Begun = z.object({
  customerId: z.uuid(),
  tables: z.array(z.object({ name: z.string(), withheld: z.array(z.string()), why: z.string() })),
})
const Page = z.object({ rows: z.array(z.record(z.string(), z.unknown())), next: z.string().nullable() })

const PAGE_ROWS = 500

/**
 * All we hold of a person, as JSON: every table that private.personal_data lists, page by page, so that a long history fits. Each
 * export leaves an audit row.
 * @throws AppError too_many_exports after three within 24 hours
 */
export async function exportData({ user }: { user: User }): Promise<AsyncGenerator<string>> {
  const begun = Begun.parse(await begin(user))
  log.access('data_exported')
  return written(user, begun)
}

async function begin(user: User): Promise<unknown> {
  try {
    return await callService('begin_export', { p_actor: user.id })
  } catch (error) {
    if (databaseCode(error) === 'PW030') {
      const retryAfterSeconds = Number(databaseDetail(error)) || 3_600
      throw new AppError('too_many_exports', { cause: error, retryAfterSeconds })
    }
    if (databaseCode(error) === 'P0002') throw new AppError('sign_in_required', { cause: error })
    throw error
  }
}

/** Ends with an error, and a text that is no JSON, when the database goes away in between: half of it must not look like all of it. */
async function* written(user: User, { customerId, tables }: z.infer<typeof Begun>): AsyncGenerator<string> {
  try {
    const head = JSON.stringify({ madeAt: new Date().toISOString(), customerId })
    yield `${head.slice(0, -1)},"tables":{\n`
    for (const [index, { name, withheld, why }] of tables.entries()) {
      const about = JSON.stringify({ withheld, why })
      yield `${index === 0 ? '' : ',\n'}${JSON.stringify(name)}:${about.slice(0, -1)},"rows":[`
      for await (const rows of pages(user, name)) yield rows
      yield ']}'
    }
    yield '\n}}\n'
  } catch (error) {
    log.error('export_failed', errorFields(error))
    throw error
  }
}

async function* pages(user: User, table: string): AsyncGenerator<string> {
  for (let after: string | null = ''; after !== null; ) {
    const said: unknown = await callService('export_page', {
      p_actor: user.id,
      p_table: table,
      p_after: after,
      p_limit: PAGE_ROWS,
    })
    const { rows, next } = Page.parse(said)
    const lines = rows.map((row) => JSON.stringify(row)).join(',\n')
    yield after === '' || rows.length === 0 ? lines : `,\n${lines}`
    after = next
  }
}
