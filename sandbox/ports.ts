import { createServer } from 'node:net'

export type SandboxPart = 'stripe' | 'supabase' | 'upstash' | 'mailbox' | 'postgres'
export type SandboxPorts = Record<SandboxPart, number>

export const PARTS: readonly SandboxPart[] = ['stripe', 'supabase', 'upstash', 'mailbox', 'postgres']

export const DEFAULT_PORTS: SandboxPorts = {
  stripe: 4010,
  supabase: 4011,
  upstash: 4012,
  mailbox: 4013,
  postgres: 4014,
}

export const portSetting = (part: SandboxPart) => `SANDBOX_${part.toUpperCase()}_PORT`

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
  for (const part of PARTS) {
    const text = environment[portSetting(part)]
    if (!text) continue
    const port = Number(text)
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new Error(`${portSetting(part)} must be a port number from 1 to 65535.`)
    }
    ports[part] = port
  }
  return ports
}

/** A program that was just killed lets go of its port only when its last thread is gone. */
const LETTING_GO_MS = 1_500

/** @throws PortTakenError for the first port somebody else listens on. */
export async function assertPortsFree(ports: SandboxPorts, parts: readonly SandboxPart[]): Promise<void> {
  const seen = new Map<number, SandboxPart>()
  for (const part of parts) {
    const port = ports[part]
    const other = seen.get(port)
    if (other) {
      throw new Error(
        `${portSetting(other)} and ${portSetting(part)} are both ${port}; each needs its own port.`,
      )
    }
    seen.set(port, part)
    if (!(await becomesFree(port))) throw new PortTakenError(port, portSetting(part))
  }
}

/** Ports nobody listens on right now. All are held at once while choosing, so that no two are the same. */
export async function freePorts(): Promise<SandboxPorts> {
  const held = await Promise.all(PARTS.map(() => hold(0)))
  const ports = { ...DEFAULT_PORTS }
  for (const [index, part] of PARTS.entries()) ports[part] = held[index]?.port ?? 0
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
