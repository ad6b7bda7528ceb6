// Preloaded into a server: its clock is wrong by CLOCK_SKEW_MS. Only what asks the time is touched, no timer.
const skewMs = Number(process.env.CLOCK_SKEW_MS ?? 0)
const Real = Date
const now = () => Real.now() + skewMs

globalThis.Date = new Proxy(Real, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, args, called) => Reflect.construct(target, args.length === 0 ? [now()] : args, called),
  apply: () => new Real(now()).toString(),
})
