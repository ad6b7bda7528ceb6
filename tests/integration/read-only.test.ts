import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { unprivilegedUser } from '../../sandbox/postgres/native-files'
import { freePort } from '../../scripts/ports'
import { root } from '../../scripts/processes'
import { startConfinedServer } from '../support/confined-server'
import { newOrder } from '../support/payment-rows'
import { newPerson } from '../support/people'
import { startPayment } from '../support/requests'
import { stack } from '../support/stack-in-test'

const copies: string[] = []

afterAll(() => {
  for (const folder of copies) rmSync(folder, { recursive: true, force: true })
})

/** Where the build is, for a user who may not enter the folder of whoever builds: a copy in a public place. */
function placeFor(user: ReturnType<typeof unprivilegedUser>): string {
  const canRead = spawnSync(process.execPath, ['-e', `require('fs').readdirSync('${root}/.next')`], {
    ...user,
  })
  if (canRead.status === 0) return root
  const copy = mkdtempSync(path.join(tmpdir(), 'paywright-read-only-'))
  copies.push(copy)
  for (const name of ['.next', 'node_modules', 'package.json', 'next.config.js', 'scripts', 'lib'])
    cpSync(path.join(root, name), path.join(copy, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) =>
        !source.includes(`${path.sep}.cache`) && !source.includes(path.join('.next', 'cache')),
    })
  spawnSync('chmod', ['-R', 'a+rX', copy])
  return copy
}

describe('a server that is not root and may write nowhere', () => {
  it('starts, shows pages and takes a payment [S-13]', async () => {
    const user = unprivilegedUser()
    const folder = placeFor(user)
    // Only now: the copy takes a while, in which others look for a port as well.
    const port = await freePort()
    const server = await startConfinedServer({ port, folder, user, settings: stack().env })
    const person = await newPerson()
    const orderId = await newOrder(person.id)

    try {
      const confinement = await server.confinement()
      const page = await fetch(`${server.url}/checkout/${orderId}`, { headers: { cookie: person.cookie } })
      const payment = await startPayment(person, orderId, { server: server.url })

      expect(confinement).toEqual({ isRoot: false, mayWrite: false })
      expect(page.status).toBe(200)
      expect(await page.text()).toContain('</html>')
      expect(payment.status).toBe(201)
      expect(server.output()).not.toMatch(/ERR_ACCESS_DENIED|EROFS|EACCES/)
    } finally {
      await server.stop()
    }
  }, 180_000)
})
