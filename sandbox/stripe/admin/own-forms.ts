import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { ownOrigins, type ResolvedConfig } from '../config.ts'
import { forbidden } from '../http/errors.ts'
import { assertOwnHost } from '../http/guard.ts'

const TOKEN_FIELD = 'token'
const MOST_CHARACTERS = 10_000

/**
 * Forms of this server's own pages, and of nobody else's: another site cannot send our Origin, not even the shop on the same machine,
 * and cannot read the token, which a page must have been loaded to know. A program on this machine can do both; it could as well
 * open the database.
 */
export class OwnForms {
  readonly #config: Pick<ResolvedConfig, 'port'>
  /** Of this process. A page from before a restart has to be loaded again. */
  readonly token = randomBytes(24).toString('base64url')

  constructor(config: Pick<ResolvedConfig, 'port'>) {
    this.#config = config
  }

  /** The fields, without the token. @throws StripeError 403 for anything that is not one of our own pages. */
  async read(c: Context): Promise<Record<string, string>> {
    const host = c.req.header('host')
    const origin = c.req.header('origin') ?? ''
    assertOwnHost(host)
    // The name it was asked for under as well: a page of ours under the other name is another origin to a browser.
    if (!ownOrigins(this.#config).includes(origin) || origin !== `http://${host}`) {
      throw forbidden('This form was sent by a page of another origin. Nothing was done.')
    }
    if (c.req.header('sec-fetch-site') !== 'same-origin') {
      throw forbidden(
        'The browser did not say that this form was sent by this page (Sec-Fetch-Site). Nothing was done.',
      )
    }
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
    const text = type === 'application/x-www-form-urlencoded' ? await c.req.text() : ''
    const { [TOKEN_FIELD]: token = '', ...fields } = Object.fromEntries(
      new URLSearchParams(text.length > MOST_CHARACTERS ? '' : text),
    )
    if (!isSame(token, this.token)) {
      throw forbidden('This page is from before a restart of the stand-in. Load it again. Nothing was done.')
    }
    return fields
  }
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
