import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

export type SandboxPart = 'stripe' | 'supabase' | 'upstash' | 'mailbox' | 'postgres'
/** The mailbox listens twice: on its pages, and for mail. */
export type PortName = SandboxPart | 'smtp'
export type SandboxPorts = Record<PortName, number>

export const PARTS: readonly SandboxPart[] = ['stripe', 'supabase', 'upstash', 'mailbox', 'postgres']
const PORT_NAMES: readonly PortName[] = [...PARTS, 'smtp']

export const DEFAULT_PORTS: SandboxPorts = {
  stripe: 4010,
  supabase: 4011,
  upstash: 4012,
  mailbox: 4013,
  postgres: 4014,
  smtp: 4015,
}

export const portSetting = (name: PortName) => `SANDBOX_${name.toUpperCase()}_PORT`

export class PortTakenError extends Error {
  override readonly name = 'PortTakenError'
  readonly port: number
  readonly setting: string

  constructor(port: number, setting: string) {
    super(`Port ${port} is taken by another program. Free it or set ${setting} to another port.`)
    this.port = port
    this.setting = setting
  }
}

/** The default ports, each replaced by its setting where there is one. */
export function portsFromEnvironment(environment: Record<string, string | undefined>): SandboxPorts {
  const ports = { ...DEFAULT_PORTS }
  for (const name of PORT_NAMES) {
    const text = environment[portSetting(name)]
    if (!text) continue
    const port = Number(text)
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new Error(`${portSetting(name)} must be a port number from 1 to 65535.`)
    }
    ports[name] = port
  }
  return ports
}

/** A program that was just killed lets go of its port only when its last thread is gone. */
const LETTING_GO_MS = 1_500

/** @throws PortTakenError for the first port somebody else listens on. */
export async function assertPortsFree(ports: SandboxPorts, parts: readonly SandboxPart[]): Promise<void> {
  const seen = new Map<number, PortName>()
  const names = parts.flatMap((part): PortName[] => (part === 'mailbox' ? [part, 'smtp'] : [part]))
  for (const name of names) {
    const port = ports[name]
    const other = seen.get(port)
    if (other) {
      throw new Error(
        `${portSetting(other)} and ${portSetting(name)} are both ${port}; each needs its own port.`,
      )
    }
    seen.set(port, name)
    if (!(await becomesFree(port))) throw new PortTakenError(port, portSetting(name))
  }
}

/**
 * Ports nobody listens on right now. It takes seconds until a part listens: so they are of those that no system gives to
 * whoever asks for any, and those that a process chooses from are its own.
 */
export async function freePorts(): Promise<SandboxPorts> {
  const ports = { ...DEFAULT_PORTS }
  for (const name of PORT_NAMES) ports[name] = await freePort()
  return ports
}

const FIRST_PORT = 20_000
const PROCESSES = 64
const PORTS_EACH = 190

let turn = randomInt(PORTS_EACH)

/** One more of those. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS_EACH; tries++) {
    turn = (turn + 1) % PORTS_EACH
    const port = FIRST_PORT + turn * PROCESSES + (process.pid % PROCESSES)
    if (await isFree(port)) return port
  }
  throw new Error('There is no free port')
}

async function becomesFree(port: number): Promise<boolean> {
  const deadline = Date.now() + LETTING_GO_MS
  while (!(await isFree(port))) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return true
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
