// Lets scripts import the app's own modules on plain Node: `@/lib/env` and extensionless relative paths, as the
// app's bundler resolves them. Node strips the types itself.
import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = pathToFileURL(`${fileURLToPath(new URL('..', import.meta.url))}`)

registerHooks({
  resolve(specifier, context, nextResolve) {
    return nextResolve(withExtension(specifier, context.parentURL) ?? specifier, context)
  },
})

/** The file a bundler would take, or undefined when the specifier is a package or already names a file. */
function withExtension(specifier, parentURL) {
  const aliased = specifier.startsWith('@/')
  if (
    !aliased &&
    !(specifier.startsWith('.') && parentURL !== undefined && !parentURL.includes('/node_modules/'))
  )
    return
  const url = aliased ? new URL(specifier.slice(2), root) : new URL(specifier, parentURL)
  if (url.protocol !== 'file:') return
  return [url.href, `${url.href}.ts`, `${url.href}.tsx`].find(
    (href) => /\.[cm]?[jt]sx?$/.test(href) && existsSync(new URL(href)),
  )
}
