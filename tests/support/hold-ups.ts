/**
 * Besides what `act` answers: for how long the machine has meanwhile held up a request that asks nobody for anything. A request is
 * held up twice, when it comes in and when it is answered: what the worst wait was in each half of the time is added up. Where a
 * limit of time is the app's, that much is not.
 */
export async function withHoldUps<Result>(
  server: string,
  act: () => Promise<Result>,
): Promise<{ result: Result; heldUpMs: number }> {
  let isOver = false
  const waits: { asked: number; ms: number }[] = []
  const look = async () => {
    while (!isOver) {
      const asked = performance.now()
      await (await fetch(`${server}/api/health?live`)).text()
      waits.push({ asked, ms: performance.now() - asked })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const began = performance.now()
  const looking = look()
  const result = await act().finally(() => {
    isOver = true
  })
  const middle = (began + performance.now()) / 2
  await looking
  const worst = (isLate: boolean) =>
    Math.max(0, ...waits.filter(({ asked }) => asked > middle === isLate).map(({ ms }) => ms))
  return { result, heldUpMs: worst(false) + worst(true) }
}
