import type { Request, World } from '../world'

/** Something that happens. Answers false when there was nothing it could happen to. */
export type Action = { weight: number; act: (world: World) => Promise<boolean> | boolean }

/** What somebody asks of us, alone or several times at once; nothing when there is nothing to ask. */
export type Asking = (world: World) => Request[]
