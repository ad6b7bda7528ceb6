const SCHEDULES = 1000

/**
 * Which schedules to play: `SIMULATION_SEED` says where to begin and `SIMULATION_SCHEDULES` how many. Without a seed
 * every run explores others; what it played is printed.
 */
export function seedsOfThisRun(): { base: number; seeds: number[] } {
  const base = Number(process.env.SIMULATION_SEED ?? 0)
  const count = Number(process.env.SIMULATION_SCHEDULES ?? SCHEDULES)
  return { base, seeds: Array.from({ length: count }, (_, n) => base + n) }
}

/** Small enough to read out. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 1_000_000_000)
}
