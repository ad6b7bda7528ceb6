import { createServer } from 'node:net'

export { freePort } from '../sandbox/ports.ts'

/**
 * Waits a moment for a port that a server of ours may still be letting go of.
 * @throws Error naming the setting, when the port stays taken.
 */
export async function requireFreePort(port: number, setting: string): Promise<void> {
  const deadline = Date.now() + 3_000
  while (!(await isFree(port))) {
    if (Date.now() > deadline) {
      throw new Error(
        `Port ${port} is taken by another program. Stop that program, or choose another port with ${setting}, for example:\n` +
          `  ${setting}=${port + 1} npm run dev`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Both loopback addresses count: a browser that opens `localhost` tries ::1 first on many machines. */
async function isFree(port: number): Promise<boolean> {
  const answers = await Promise.all([canListen(port, '127.0.0.1'), canListen(port, '::1')])
  return answers.every(Boolean)
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'),
    )
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
