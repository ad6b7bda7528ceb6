/**
 * Besides what `act` answers: for how long, at the worst, the machine has meanwhile held up a request that asks nobody for
 * anything. Where a limit of time is the app's, that much is not.
 */
export async function withHoldUps<Result>(
  server: string,
  act: () => Promise<Result>,
): Promise<{ result: Result; heldUpMs: number }> {
  let isOver = false
  let heldUpMs = 0
  const look = async () => {
    while (!isOver) {
      const asked = performance.now()
      await (await fetch(`${server}/api/health?live`)).text()
      heldUpMs = Math.max(heldUpMs, performance.now() - asked)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const looking = look()
  const result = await act().finally(() => {
    isOver = true
  })
  await looking
  return { result, heldUpMs }
}
