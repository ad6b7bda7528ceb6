import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLane } from './lane'
import { makePlan } from './plan'
import { Random } from './random'

describe('the simulator itself', () => {
  let lane: Awaited<ReturnType<typeof openLane>>
  beforeAll(async () => {
    lane = await openLane('simulation_simulator')
  })
  afterAll(() => lane.close())

  it('tells the same story for the same seed (T1)', async () => {
    const seeds = Array.from({ length: 200 }, (_, seed) => seed)
      .filter((seed) => makePlan(new Random(seed)).order === 'in turns')
      .slice(0, 12)

    for (const seed of seeds) {
      const first = await lane.play(seed)
      const second = await lane.play(seed)

      expect(second.story, `seed ${seed}`).toEqual(first.story)
    }
  })

  it('tells another story for another seed', async () => {
    const first = await lane.play(1)
    const second = await lane.play(2)

    expect(second.story).not.toEqual(first.story)
  })
})
