const endings: (() => unknown)[] = []

/** Done after the file's tests. Unlike `afterAll` this is also heard when it is said inside of a hook or a test. */
export function afterFile(end: () => unknown): void {
  endings.push(end)
}

export async function endFile(): Promise<void> {
  for (const end of endings.splice(0).reverse()) await end()
}
