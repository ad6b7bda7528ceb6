import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { type Leashed, root, spawnLeashed, tool } from '../../scripts/processes'
import { until } from '../support/paid'
import { stack } from '../support/stack-in-test'

const { env } = stack()

/** Three servers start at once, and one takes nine seconds to end. */
const TIMEOUT_MS = 120_000

describe('a server that is asked to end', () => {
  it.concurrent.each(['next start', 'npm start'])(
    'answers what came in first, then ends with 0: %s (C8)',
    async (how) => {
      const { server, url, pid, output } = await start(how)
      const load = new Load(url)
      await until(async () => load.answered > 20)
      const asked = Date.now()

      process.kill(pid(), 'SIGTERM')

      const status = await exitCode(output)
      const tookMs = Date.now() - asked
      await load.end()
      await server.stop()
      expect(load.cut, load.failures.join(', ')).toBe(0)
      expect(load.refused).toBeGreaterThan(0)
      expect(tookMs).toBeLessThan(10_000)
      expect(status).toBe(0)
      expect(output.join('\n')).toContain('"inFlight":0,"event":"drained"')
    },
    TIMEOUT_MS,
  )

  it.concurrent(
    'does not wait for ever for a client that never finishes its request (C8)',
    async () => {
      const { server, url, pid, output } = await start('next start')
      const slow = connect(Number(new URL(url).port), '127.0.0.1')
      slow.on('error', () => {})
      // The server says so itself once it has the request.
      const isTaken = new Promise((resolve) => slow.once('data', resolve))
      slow.write(
        'POST /api/payments/webhook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n',
      )
      expect(String(await isTaken)).toContain('100 Continue')
      slow.write('{')

      process.kill(pid(), 'SIGTERM')

      expect(await exitCode(output)).toBe(1)
      const [, waitedMs] = /"waitedMs":(\d+),"inFlight":1,"event":"drained"/.exec(output.join('\n')) ?? []
      expect(Number(waitedMs)).toBeLessThan(10_000)
      slow.destroy()
      await server.stop()
    },
    TIMEOUT_MS,
  )
})

type Started = { server: Leashed; url: string; output: string[]; pid: () => number }

/** A shell between the leash and the server tells the server's process id and how it ended. */
async function start(how: string): Promise<Started> {
  const port = await freePort()
  const output: string[] = []
  const [node, next] = tool('next')
  const command =
    how === 'npm start'
      ? [node, `${root}/scripts/bootstrap.mjs`, `${root}/scripts/start.ts`]
      : [node, next, 'start', '--hostname', '127.0.0.1', '--port', String(port)]
  const server = spawnLeashed({
    name: how,
    command: ['/bin/sh', '-c', '"$@" & echo pid $!; wait $!; echo ended $?; sleep 60', 'sh', ...command],
    settings: { ...env, NODE_ENV: 'production', PORT: String(port) },
    onLine: (line) => output.push(line),
  })
  const url = `http://localhost:${port}`
  await waitUntilReady(url, 60_000)
  return { server, url, output, pid: () => Number(/^pid (\d+)$/m.exec(output.join('\n'))?.[1]) }
}

async function exitCode(output: string[]): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    const code = /^ended (\d+)$/m.exec(output.join('\n'))?.[1]
    if (code !== undefined) return Number(code)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('it did not end')
}

/** Ten clients with connections they keep, each sending its next request as soon as it has an answer. */
class Load {
  answered = 0
  /** Requests on an open connection that got no whole answer. */
  cut = 0
  /** Connections that were not taken any more. */
  refused = 0
  failures: string[] = []
  #isOn = true
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 10 })
  readonly #clients: Promise<void>[]

  constructor(url: string) {
    this.#clients = Array.from({ length: 10 }, (_, n) =>
      this.#client(n % 2 ? `${url}/api/payments/history` : `${url}/sign-in`),
    )
  }

  async end(): Promise<void> {
    this.#isOn = false
    await Promise.all(this.#clients)
  }

  async #client(url: string): Promise<void> {
    while (this.#isOn) {
      const outcome = await this.#ask(url)
      if (outcome === 'answered') this.answered++
      else if (outcome === 'refused') {
        this.refused++
        return
      } else {
        this.cut++
        this.failures.push(outcome)
      }
    }
  }

  #ask(url: string): Promise<string> {
    return new Promise((resolve) => {
      const request = get(url, { agent: this.#agent }, (response) => {
        response.on('error', (error) => resolve(error.message))
        response.on('aborted', () => resolve('aborted'))
        response.resume().on('end', () => resolve('answered'))
      })
      request.on('error', (error) => resolve(request.reusedSocket ? error.message : 'refused'))
    })
  }
}
