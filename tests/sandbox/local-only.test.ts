import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { hasSecret, isLocalHost } from '../../sandbox/local-only.ts'
import { redact } from '../../sandbox/part.ts'

const execute = promisify(execFile)

describe('staying on this machine', () => {
  it.each([
    ['fetch by name', "await fetch('http://telemetry.example.com/')"],
    ['fetch by address', "await fetch('http://192.0.2.1/')"],
    ['a plain socket', "await new Promise((_, no) => net.connect(80, '192.0.2.1').on('error', no))"],
    [
      'a secure socket',
      "await new Promise((_, no) => tls.connect({ host: '192.0.2.1', port: 443 }).on('error', no))",
    ],
  ])('%s to elsewhere fails at once', async (_, attempt) => {
    expect(await guarded(attempt)).toMatch(/connects to this machine only/)
  })

  it('this machine can be reached', async () => {
    const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo

    const answer = await guarded(`console.log(await (await fetch('http://127.0.0.1:${port}/')).text())`)
    server.close()

    expect(answer).toBe('here')
  })

  /** What a guarded process of its own prints, its error's messages included. */
  async function guarded(code: string): Promise<string> {
    const script = `
      import net from 'node:net'
      import tls from 'node:tls'
      import { stayOnThisMachine } from '${join(import.meta.dirname, '../../sandbox/local-only.ts')}'
      stayOnThisMachine()
      try { ${code} } catch (error) { console.log(error.message, error.cause?.message ?? '') }`
    const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 10_000,
    })
    return stdout.trim()
  }
})

it('a foreign name that points here is not taken for us', () => {
  expect(['127.0.0.1:4011', 'localhost', 'localhost:1'].map(isLocalHost)).toEqual([true, true, true])
  expect(['evil.example.com', '127.0.0.1.evil.example', '', undefined].map(isLocalHost)).toEqual(
    Array(4).fill(false),
  )
})

it('only the whole secret opens', () => {
  expect(hasSecret('Bearer abc', 'abc')).toBe(true)
  for (const wrong of ['Bearer ab', 'Bearer abcd', 'abc', '', null])
    expect(hasSecret(wrong, 'abc')).toBe(false)
})

it('what parts write to their logs loses tokens, keys, addresses and card numbers', () => {
  const line = redact(
    'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln sb_secret_abc_def whsec_123 postgres://a:b@127.0.0.1/c ada@example.com 4242 4242 4242 4242',
  )

  expect(line).toBe('[token] [key] [key] [database address] [mail address] [number]')
})
