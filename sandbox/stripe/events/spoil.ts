import { type Fault, findFault } from '../chaos/faults.ts'
import { signatureHeader } from './sign.ts'

/** A delivery as it should be sent. */
type Message = { body: string; secrets: string[]; timestamp: number }

export type Sent = { body: string; signature: string }

const OLDER_VERSION = '2020-08-27'
const WRONG_SECRET = 'whsec_ofSomebodyElse'
const SECOND_SECRET = 'whsec_ofTheSecondEndpoint'

/** Sign a delivery, and let go wrong what is to go wrong. Without faults this is just signing. */
export function signed(message: Message, faults: readonly Fault[]): Sent {
  const has = (name: Fault['name']) => findFault(faults, name) !== undefined
  const stale = findFault(faults, 'webhook.staleTimestamp')
  const timestamp = message.timestamp - (stale?.seconds ?? 0)
  const body = has('webhook.olderVersion') ? withVersion(message.body, OLDER_VERSION) : message.body
  const signature = signatureHeader(body, secretsFor(message, has), timestamp)
  return {
    body: has('webhook.truncated') ? body.slice(0, Math.floor(body.length / 2)) : body,
    signature: has('webhook.badSignature')
      ? signature.replace(/v1=[0-9a-f]+/g, `v1=${'0'.repeat(64)}`)
      : signature,
  }
}

/** Lost on the way: nothing is sent, and Stripe learns of no answer. */
export function isLost(faults: readonly Fault[]): boolean {
  return findFault(faults, 'webhook.dropFirst') !== undefined || isLostForever(faults)
}

export function isLostForever(faults: readonly Fault[]): boolean {
  return findFault(faults, 'webhook.dropForever') !== undefined
}

function secretsFor({ secrets }: Message, has: (name: Fault['name']) => boolean): string[] {
  if (has('webhook.secondEndpoint')) return [SECOND_SECRET]
  return has('webhook.wrongSecret') ? [WRONG_SECRET] : secrets
}

/** Only the name of the version: what objects looked like then is not known here. */
function withVersion(body: string, version: string): string {
  return JSON.stringify({ ...JSON.parse(body), api_version: version }, null, 2)
}
