// The product as it stands in production: a production server on https behind one proxy, its providers the sandbox's.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener, request, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { removeData } from '../../sandbox/postgres/data-folder.ts'
import { unprivilegedUser } from '../../sandbox/postgres/native-files.ts'
import { freePorts, startSandbox } from '../../sandbox/start.ts'
import { waitUntilReady } from '../health.ts'
import { freePort } from '../ports.ts'
import { spawnLeashed, tool } from '../processes.ts'
import { ensureBuild } from '../production-build.ts'
import { inTools } from './tools.ts'

/** Keys of the sandbox are refused for any other machine. */
const HOST = 'localhost'

export type Stand = {
  httpPort: number
  httpsPort: number
  /** Of the authority that only this stand's certificate comes from. */
  certificateFile: string
  databaseUrl: string
  localStripeOrigin: string
  /** One page as a browser gets it over https. */
  open(pathname: string): Promise<Response>
  stop(): Promise<void>
}

export async function startStand(): Promise<Stand> {
  await ensureBuild()
  const stateDir = mkdtempSync(path.join(tmpdir(), 'paywright-judge-'))
  const sandbox = await startSandbox({
    stateDir,
    ports: await freePorts(),
    appOrigin: `http://${HOST}`,
    tuning: { fsync: false },
  })
  const appPort = await freePort()
  const app = spawnLeashed({
    name: 'app',
    command: [...tool('next'), 'start', '--hostname', '127.0.0.1', '--port', String(appPort)],
    settings: {
      ...sandbox.env,
      APP_ORIGIN: `https://${HOST}`,
      TRUSTED_PROXY_HOPS: '1',
      NODE_ENV: 'production',
    },
  })
  const certificate = await newCertificate()
  const certificateFile = path.join(stateDir, 'authority.pem')
  writeFileSync(certificateFile, certificate.cert)
  const http = createHttpServer(forward(appPort, 'http'))
  const https = createHttpsServer(
    { key: certificate.private, cert: certificate.cert, minVersion: 'TLSv1.2' },
    forward(appPort, 'https'),
  )
  const stop = async () => {
    for (const server of [http, https]) server.closeAllConnections()
    http.close()
    https.close()
    await app.stop()
    await sandbox.stop()
    removeData(stateDir, unprivilegedUser())
    rmSync(stateDir, { recursive: true, force: true })
  }
  try {
    await waitUntilReady(`http://127.0.0.1:${appPort}`, 60_000)
    return {
      httpPort: await listen(http),
      httpsPort: await listen(https),
      certificateFile,
      databaseUrl: sandbox.adminDatabaseUrl,
      localStripeOrigin: new URL(sandbox.env.STRIPE_API_BASE ?? '').origin,
      open: (pathname) =>
        fetch(`http://127.0.0.1:${appPort}${pathname}`, {
          headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' },
          redirect: 'manual',
        }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What a proxy of a hosting company does: say by which scheme and from where a request came. */
function forward(appPort: number, scheme: string): RequestListener {
  return (incoming, outgoing) => {
    const headers = { ...incoming.headers, 'x-forwarded-proto': scheme, 'x-forwarded-for': '203.0.113.7' }
    const passed = request(
      { host: '127.0.0.1', port: appPort, method: incoming.method, path: incoming.url, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
        answer.pipe(outgoing)
      },
    )
    passed.on('error', () => outgoing.writeHead(502).end())
    incoming.pipe(passed)
  }
}

type Certificate = { private: string; cert: string }

async function newCertificate(): Promise<Certificate> {
  const { generate } = (await import(pathToFileURL(inTools('selfsigned/index.js')).href)).default as {
    generate(subject: object[], options: object): Promise<Certificate>
  }
  return await generate([{ name: 'commonName', value: HOST }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: HOST }] },
    ],
  })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on a port')
  return address.port
}
