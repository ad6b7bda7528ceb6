import { Hono } from 'hono'
import { z } from 'zod'
import { FAULT_NAMES } from '../chaos/faults.ts'
import { PROFILES } from '../chaos/profiles.ts'
import { ruleSchema } from '../chaos/rules.ts'
import type { StripeContext } from '../context.ts'
import { readBody, refused } from './body.ts'

const LOGGED = 5000

const chaosBody = z.strictObject({
  /** Left out: a new one is made up and told. */
  seed: z.string().min(1).max(100).optional(),
  profile: z.string().nullable().default(null),
  rules: z.array(ruleSchema).max(100).default([]),
})

/** What goes wrong on purpose, and what did. */
export function chaosRoutes({ store }: StripeContext): Hono {
  const app = new Hono()
  const { chaos } = store

  app.get('/chaos', (c) => c.json({ ...chaos.state(), profiles: Object.keys(PROFILES), faults: FAULT_NAMES }))

  app.post('/chaos', async (c) => {
    const { seed, profile, rules } = await readBody(c, chaosBody)
    store.transaction(() => chaos.configure({ profile, rules, ...(seed ? { seed } : {}) }))
    return c.json(chaos.state())
  })

  app.delete('/chaos', (c) => {
    store.transaction(() => chaos.configure({}))
    return c.json(chaos.state())
  })

  app.post('/chaos/rules', async (c) => {
    const rule = await readBody(c, ruleSchema)
    return c.json({ id: store.transaction(() => chaos.add(rule)) })
  })

  app.delete('/chaos/rules/:id', (c) => {
    if (!chaos.remove(Number(c.req.param('id')))) throw refused('There is no such rule')
    return c.json(chaos.state())
  })

  app.get('/chaos/log', (c) => c.json({ log: chaos.log(LOGGED) }))

  return app
}
