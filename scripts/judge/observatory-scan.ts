// Scans the stand with MDN's Observatory and prints its result as JSON. A process of its own, because it has to trust the
// stand's authority (NODE_EXTRA_CA_CERTS) and because Observatory asks ports 80 and 443, which only root may open:
// connections to them are led to the stand's.
//
//   node scripts/judge/observatory-scan.ts <module of Observatory> <http port> <https port>
import { type NetConnectOpts, Socket } from 'node:net'
import { pathToFileURL } from 'node:url'

const [module = '', httpPort, httpsPort] = process.argv.slice(2)
const ledTo: Record<string, number> = { 80: Number(httpPort), 443: Number(httpsPort) }
const connect = Socket.prototype.connect

Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  const [first] = args
  const options = (Array.isArray(first) ? first[0] : first) as NetConnectOpts & { port?: number | string }
  const port = ledTo[String(options?.port)]
  if (port === undefined) throw new Error('Observatory may ask the stand and nobody else')
  return Reflect.apply(connect, this, [{ host: '127.0.0.1', port }])
}

const { scan } = (await import(pathToFileURL(module).href)) as { scan(host: string): Promise<unknown> }
console.log(JSON.stringify(await scan('localhost')))
process.exit()
