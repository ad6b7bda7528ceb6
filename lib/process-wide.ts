/**
 * One value for the whole process. The bundler may load a module once for pages, once for routes and once for the start
 * hook; a plain `let` would then exist three times.
 */
export function processWide<Value>(name: string, make: () => Value): Value {
  const shelf = globalThis as Record<symbol, unknown>
  const key = Symbol.for(`paywright.${name}`)
  shelf[key] ??= make()
  return shelf[key] as Value
}
