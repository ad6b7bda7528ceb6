import type Stripe from 'stripe'
import { API_VERSION } from '../config.ts'
import { newId, newSigningSecret } from '../core/ids.ts'
import { listObjects, pageParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { SigningSecret } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import { invalidParameter, noSuch, StripeError, unsupportedParameter } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { boolean, list, required, text, unsupported, word } from '../http/params.ts'

const MAX_ENDPOINTS = 16

/** A rolled secret goes on signing for at most a day (stripe.W5). */
const ROLLED_SECRET_SECONDS = 24 * 60 * 60

/** The enabled endpoints that want events of this type. */
export function endpointsFor(store: Store, type: string): Stripe.WebhookEndpoint[] {
  return store
    .select('webhook_endpoint', [], { oldestFirst: true })
    .map(({ object }) => object)
    .filter(({ status, enabled_events }) => status === 'enabled' && wants(enabled_events, type))
}

function wants(enabledEvents: string[], type: string): boolean {
  return enabledEvents.includes('*') || enabledEvents.includes(type)
}

/** The secrets that sign now, newest first. */
export function activeSecrets(secrets: SigningSecret[], now: number): string[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ secret }) => secret)
}

/** The endpoint of the settings: one, enabled, with this URL and secret, also when they were others at the last start. */
export function ensureEndpoint(store: Store, url: string, secret: string): void {
  const hidden = { secrets: [{ secret, expiresAt: null }], configured: true }
  const endpoints = store.select('webhook_endpoint')
  const existing =
    endpoints.find((endpoint) => endpoint.hidden.configured) ??
    endpoints.find(({ object }) => object.url === url)
  if (existing) store.save('webhook_endpoint', { ...existing.object, url, status: 'enabled' }, hidden)
  else store.insert('webhook_endpoint', newEndpoint(store, { url, enabledEvents: ['*'] }), hidden)
}

/** Give an endpoint a new secret; until then both sign. Returns the new one. */
export function rollSecret(store: Store, id: string): string {
  const { object, hidden } = getEndpoint(store, id)
  const expiresAt = store.clock.now() + ROLLED_SECRET_SECONDS
  const secret = newSigningSecret()
  const former = hidden.secrets.map((old) => ({ ...old, expiresAt: old.expiresAt ?? expiresAt }))
  store.save('webhook_endpoint', object, { ...hidden, secrets: [{ secret, expiresAt: null }, ...former] })
  return secret
}

export const webhookEndpointOperations = [
  operation({
    method: 'POST',
    path: '/v1/webhook_endpoints',
    params: {
      url: required(word()),
      enabled_events: required(list(word(), { max: 500 })),
      api_version: word(),
      description: text(),
      metadata: metadata(),
      ...unsupported('connect'),
    },
    handle({ store }, params) {
      if (params.api_version !== undefined && params.api_version !== API_VERSION) {
        throw unsupportedParameter('api_version', `only ${API_VERSION} is available`)
      }
      if (store.select('webhook_endpoint').length >= MAX_ENDPOINTS) {
        throw new StripeError(400, {
          type: 'invalid_request_error',
          message: `You have reached the maximum of ${MAX_ENDPOINTS} test webhook endpoints.`,
        })
      }
      const secret = newSigningSecret()
      const endpoint = {
        ...newEndpoint(store, { url: checkedUrl(params.url), enabledEvents: params.enabled_events }),
        api_version: params.api_version ?? null,
        description: params.description ?? null,
        metadata: mergeMetadata({}, params.metadata),
      }
      store.insert('webhook_endpoint', endpoint, {
        secrets: [{ secret, expiresAt: null }],
        configured: false,
      })
      return { ...endpoint, secret }
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/webhook_endpoints/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getEndpoint(store, id).object,
  }),
  operation({
    method: 'POST',
    path: '/v1/webhook_endpoints/:id',
    params: {
      url: word(),
      enabled_events: list(word(), { max: 500 }),
      disabled: boolean(),
      description: text(),
      metadata: metadata(),
    },
    handle({ store }, params, { id }) {
      const { object } = getEndpoint(store, id)
      return store.save('webhook_endpoint', {
        ...object,
        ...(params.url === undefined ? {} : { url: checkedUrl(params.url) }),
        ...(params.enabled_events === undefined ? {} : { enabled_events: params.enabled_events }),
        ...(params.disabled === undefined ? {} : { status: params.disabled ? 'disabled' : 'enabled' }),
        ...(params.description === undefined ? {} : { description: params.description }),
        metadata: mergeMetadata(object.metadata, params.metadata),
      })
    },
  }),
  operation({
    method: 'DELETE',
    path: '/v1/webhook_endpoints/:id',
    params: {},
    handle({ store }, _params, { id }) {
      getEndpoint(store, id)
      store.markDeleted(id)
      return { id, object: 'webhook_endpoint', deleted: true } satisfies Stripe.DeletedWebhookEndpoint
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/webhook_endpoints',
    params: pageParams,
    handle: ({ store }, page) => listObjects(store, 'webhook_endpoint', '/v1/webhook_endpoints', page),
  }),
]

function getEndpoint(store: Store, id: string): Found<'webhook_endpoint'> {
  const found = store.find('webhook_endpoint', id)
  if (!found || found.deleted) throw noSuch('webhook endpoint', id, 'webhook_endpoint', 404)
  return found
}

function newEndpoint(
  store: Store,
  { url, enabledEvents }: { url: string; enabledEvents: string[] },
): Stripe.WebhookEndpoint {
  return {
    id: newId('webhook_endpoint'),
    object: 'webhook_endpoint',
    api_version: null,
    application: null,
    created: store.clock.now(),
    description: null,
    enabled_events: enabledEvents,
    livemode: false,
    metadata: {},
    status: 'enabled',
    url,
  }
}

function checkedUrl(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : null
  if (protocol === 'http:' || protocol === 'https:') return url
  throw invalidParameter('url', 'Invalid URL: URL must be a valid http or https address', 'url_invalid')
}
