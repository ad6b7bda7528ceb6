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

/** Ports nobody listens on right now. All are held at once while choosing, so that no two are the same. */
export async function freePorts(): Promise<SandboxPorts> {
  const held = await Promise.all(PORT_NAMES.map(() => hold(0)))
  const ports = { ...DEFAULT_PORTS }
  for (const [index, name] of PORT_NAMES.entries()) ports[name] = held[index]?.port ?? 0
  await Promise.all(held.map((holder) => holder.release()))
  return ports
}

async function becomesFree(port: number): Promise<boolean> {
  const deadline = Date.now() + LETTING_GO_MS
  while (!(await isFree(port))) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return true
}

async function isFree(port: number): Promise<boolean> {
  try {
    await (await hold(port)).release()
    return true
  } catch {
    return false
  }
}

function hold(port: number): Promise<{ port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('No port was given'))
      const release = () => new Promise<void>((done) => server.close(() => done()))
      resolve({ port: address.port, release })
    })
  })
}
