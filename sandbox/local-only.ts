import { timingSafeEqual } from 'node:crypto'
import { Socket } from 'node:net'

/**
 * The sandbox listens on loopback only; this keeps out what a browser could still be tricked into: a foreign
 * name that points to 127.0.0.1 (DNS rebinding).
 */
export function isLocalHost(host: string | null | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase()
  return name === '127.0.0.1' || name === 'localhost' || name === '[::1]'
}

/** Compare a bearer secret in constant time. */
export function hasSecret(authorization: string | null | undefined, secret: string): boolean {
  const given = Buffer.from(authorization ?? '')
  const wanted = Buffer.from(`Bearer ${secret}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/**
 * From here on this process can open connections to this machine only. For parts that run other people's code:
 * whatever it would like to report, it cannot.
 */
export function stayOnThisMachine(): void {
  const { connect } = Socket.prototype
  const guarded = function (this: Socket, ...args: unknown[]): Socket {
    const host = targetHost(args)
    if (!/^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/.test(host)) {
      this.destroy(new Error(`This part of the sandbox connects to this machine only, not to ${host}`))
      return this
    }
    return Reflect.apply(connect, this, args)
  }
  Object.assign(Socket.prototype, { connect: guarded })
}

/** `connect` takes (options), (port, host), (path), or the list of these that `net.connect` has made. */
function targetHost(args: unknown[]): string {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args
  if (typeof first === 'object' && first !== null) {
    const { host } = first as { host?: unknown }
    return typeof host === 'string' ? host : 'localhost'
  }
  return typeof second === 'string' ? second : 'localhost'
}
