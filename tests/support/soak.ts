/** `npm run test:soak` sets it: the same tests, for longer. */
export const isSoak = Boolean(process.env.SOAK)

/** How often or how much, in `npm test` and in a soak. */
export function inSoak(usual: number, soak: number): number {
  return isSoak ? soak : usual
}
