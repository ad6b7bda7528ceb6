import { connect, createServer, type Socket } from 'node:net'

export type Fault = 'none' | 'refuse' | 'reset' | 'hang'

export type FaultProxy = {
  port: number
  /** Also hits the connections that are open now. */
  setFault(fault: Fault): void
  /** Connections accepted so far. */
  connections(): number
  /** Pieces of data passed on to the target so far: none, while nobody asks it anything. */
  passedOn(): number
  close(): Promise<void>
}

/** A TCP proxy on this machine that can start to misbehave: refuse, reset, or take bytes and never answer. */
export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  let fault: Fault = 'none'
  let accepted = 0
  let passedOn = 0
  const clients = new Set<Socket>()

  const server = createServer((client) => {
    accepted++
    clients.add(client)
    client.on('error', () => {})
    client.on('close', () => clients.delete(client))
    if (fault === 'refuse' || fault === 'reset') return void client.resetAndDestroy()
    if (fault === 'hang') return
    const upstream = connect(target)
    upstream.on('error', () => client.destroy())
    client.on('data', (chunk) => {
      if (fault !== 'none') return
      passedOn++
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => fault === 'none' && client.write(chunk))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on a port')

  return {
    port: address.port,
    setFault: (next) => {
      fault = next
      if (next !== 'reset' && next !== 'refuse') return
      for (const client of clients) client.resetAndDestroy()
    },
    connections: () => accepted,
    passedOn: () => passedOn,
    close: async () => {
      for (const client of clients) client.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
