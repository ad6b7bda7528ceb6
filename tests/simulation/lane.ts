import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { closeDatabase } from '@/lib/db/sql'
import { enterLane, type Lane } from './databases'
import { playSchedule, type Report } from './schedule'
import type { People } from './world'

/** A database to play schedules in, one after the other, and the people who live in it. */
export async function openLane(lane: Lane): Promise<{
  play: (seed: number) => Promise<Report>
  close: () => Promise<void>
}> {
  const sql = postgres(enterLane(lane), { max: 1, onnotice: () => {} })
  const people = await settle(sql)
  return {
    play: (seed) => playSchedule(seed, sql, people),
    close: async () => {
      await closeDatabase()
      await sql.end({ timeout: 5 })
    },
  }
}

async function settle(sql: postgres.Sql): Promise<People> {
  const person = async () => {
    const id = randomUUID()
    const email = `${id}@example.test`
    await sql`insert into auth.users (id, email) values (${id}, ${email})`
    return { id, email }
  }
  const staff = await person()
  await sql`insert into private.staff (user_id, role) values (${staff.id}, 'support')`
  return { customers: [await person(), await person()], staff }
}

/** What failing schedules have to say for themselves: the shortest story in full, of the others where they ended. */
export function failures(reports: readonly Report[]): string {
  const [shortest, ...others] = reports.toSorted((a, b) => a.story.length - b.story.length)
  if (!shortest) return 'none'
  return [
    headline(shortest),
    ...shortest.story.map((line) => `  ${line}`),
    `Play it again: npm run test:simulate -- --seed ${shortest.seed}`,
    ...others.map(headline),
  ].join('\n')
}

function headline({ seed, steps, violation }: Report): string {
  return `Seed ${seed} broke a rule after ${steps} steps: ${violation?.message}`
}
