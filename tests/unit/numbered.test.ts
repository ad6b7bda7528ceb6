import { randomUUID } from 'node:crypto'
import { NextRequest, NextResponse } from 'next/server'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { numbered } from '@/lib/edge/numbered'
import { logTo } from '@/lib/log'
import { currentRequest } from '@/lib/request-context'

vi.mock('@/lib/env', () => ({ env: () => ({ logLevel: 'info' }) }))

const asked = (id: string) => new NextRequest('http://localhost/x', { headers: { 'x-request-id': id } })

describe('the way through the gates', () => {
  let records: Record<string, unknown>[]

  beforeEach(() => {
    records = []
    logTo((level, event, fields) => records.push({ level, event, ...fields }))
  })

  it('a gate that throws is one record without the message, and a bare answer (L3)', async () => {
    const id = randomUUID()
    const gates = async () => {
      throw Object.assign(new Error('canary sk_test_canary'), { cause: new Error('canary') })
    }

    const response = await numbered(gates, { isOnPlatform: false })(asked(id))

    expect(response.status).toBe(500)
    expect(await response.json()).toEqual({
      error: { code: 'internal', message: 'Something went wrong on our side.', requestId: id },
    })
    expect(records).toMatchObject([
      { level: 'error', event: 'request_failed', handler: 'middleware', requestId: id, error: 'Error' },
    ])
    expect(JSON.stringify(records)).not.toContain('canary')
  })

  it('knows the request by the id it has already, except where that is the word of a client (L5)', async () => {
    const id = randomUUID()
    const seen: (string | undefined)[] = []
    const gates = async () => {
      seen.push(currentRequest()?.requestId)
      return NextResponse.next()
    }

    await numbered(gates, { isOnPlatform: false })(asked(id))
    await numbered(gates, { isOnPlatform: true })(asked(id))
    await numbered(gates, { isOnPlatform: false })(asked('x\r\nforged'.replace(/\s/g, '')))

    expect(seen[0]).toBe(id)
    for (const other of seen.slice(1)) {
      expect(other).toMatch(/^[0-9a-f-]{36}$/)
      expect(other).not.toBe(id)
    }
  })
})
