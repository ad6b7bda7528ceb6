import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { stack } from '../support/stack-in-test'

const { port } = new URL(stack().serverUrls[0] ?? '')

/** Send bytes as they are and answer all that comes back until the server hangs up, or is silent for longer than any is busy. */
function say(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port) })
    let answer = ''
    socket.setTimeout(15_000, () => socket.destroy())
    socket.on('data', (chunk) => (answer += chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    socket.end(text)
  })
}

const post = (headers: string[], body: string) =>
  say(['POST /api/payments/webhook HTTP/1.1', 'Host: localhost', ...headers, '', body].join('\r\n'))

describe('messages that two servers could read in two ways', () => {
  it.each([
    ['both a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6'], 'abcdef'],
    ['a length that is no number', ['Content-Length: +5'], 'abcde'],
    ['chunks that are said twice', ['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n'],
  ])('are refused before anything reads them: %s', async (_what, headers, body) => {
    const smuggled = `${body}GET /api/health?live HTTP/1.1\r\nHost: localhost\r\n\r\n`

    const answer = await post(headers, smuggled)

    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).not.toContain('alive')
  })

  it('are not echoed: TRACE and CONNECT get no answer that holds what was sent', async () => {
    for (const method of ['TRACE', 'CONNECT']) {
      const answer = await say(`${method} / HTTP/1.1\r\nHost: localhost\r\nX-Canary: canary-of-trace\r\n\r\n`)

      expect(answer, method).not.toContain('canary-of-trace')
      expect(answer, method).not.toMatch(/^HTTP\/1\.1 2/)
    }
  })
})
