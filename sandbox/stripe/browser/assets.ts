import { readFileSync } from 'node:fs'

/** The parts of stripe.js, each after those it needs when it is evaluated. */
const STRIPE_JS_PARTS = [
  'shared/channel.js',
  'script/errors.js',
  'script/client-secret.js',
  'script/emitter.js',
  'script/frames.js',
  'script/challenge.js',
  'script/framed-element.js',
  'script/express-checkout.js',
  'script/elements.js',
  'script/next-action.js',
  'script/confirm-intent.js',
  'script/create-from-elements.js',
  'script/checkout-session.js',
  'script/checkout-actions.js',
  'script/checkout-elements.js',
  'script/stripe.js',
] as const

/** What frames load, by address below `/frame/assets/`. Frames run modules, so these are served exactly as they are. */
const FRAME_FILES = [
  'shared/channel.js',
  'frame/address.js',
  'frame/appearance.js',
  'frame/card-form.js',
  'frame/card-rules.js',
  'frame/challenge.css',
  'frame/challenge.js',
  'frame/checked-fields.js',
  'frame/controller.js',
  'frame/country-field.js',
  'frame/frame-events.js',
  'frame/link-authentication.js',
  'frame/payment.css',
  'frame/payment.js',
  'frame/saved-cards.js',
  'frame/stripe-api.js',
] as const

const CONTENT_TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

export type Asset = { body: string; contentType: string }

/**
 * One classic script out of the parts. Shops load stripe.js with a plain script tag and expect `window.Stripe` when
 * it has loaded, which modules cannot promise; so the import and export lines go and all parts share one scope.
 */
export function buildStripeJs(): string {
  const parts = STRIPE_JS_PARTS.map((path) =>
    read(path)
      .replace(/^import [^;]*? from '[^']+'\n/gm, '')
      .replace(/^export /gm, ''),
  )
  return `(() => {\n'use strict'\n${parts.join('\n')}\n})()\n`
}

export function loadFrameAssets(): ReadonlyMap<string, Asset> {
  return new Map(
    FRAME_FILES.map((path) => {
      const extension = path.slice(path.lastIndexOf('.') + 1)
      return [path, { body: read(path), contentType: CONTENT_TYPES[extension] ?? 'text/plain' }]
    }),
  )
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}
