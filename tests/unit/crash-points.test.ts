import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { CRASH_POINTS } from '@/lib/payments/crash-point'
import { root } from '../../scripts/processes'

it('every crash point has its one place in the code (C1)', () => {
  const files = readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  const code = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(path.join(root, 'lib', file), 'utf8'))
    .join('\n')

  const places = [...code.matchAll(/\bcrashPoint\('([^']+)'\)/g)].map(([, point]) => point)

  expect(places.toSorted()).toEqual(CRASH_POINTS.toSorted())
})
