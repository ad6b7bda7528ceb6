import fc from 'fast-check'
import { describe, it } from 'vitest'
import { localPath } from '@/lib/auth/local-path'

const ORIGIN = 'https://pay.example.com'
const WORDS = 'https: http:// javascript: data: evil.example pay.example.com // .. %2f %5c %09 %0d%0a'.split(
  ' ',
)
const HOSTILE = [...'/\\\t\n\0 .@:?#;／＼\u2028\u00a0', ...WORDS]

describe('where sign-in leads', () => {
  it('is on this site, whatever is asked for (I12)', () => {
    const seed = Date.now() % 2 ** 31
    console.info(`seed ${seed}`)
    const path = fc.oneof(
      fc.array(fc.constantFrom(...HOSTILE), { maxLength: 8 }).map((parts) => parts.join('')),
      fc.array(fc.constantFrom(...HOSTILE), { maxLength: 6 }).map((parts) => `/${parts.join('')}`),
      fc.constantFrom(
        'https://evil.example/a?b',
        'https:evil.example',
        'https://pay.example.com.evil.example/',
        '//user@evil.example',
      ),
      fc.string({ unit: 'binary' }),
    )

    fc.assert(
      fc.property(path, (asked) => {
        const led = localPath(asked)

        // As a browser reads a Location header.
        return new URL(led, ORIGIN).origin === ORIGIN && /^\/(?![/\\])/.test(led)
      }),
      { numRuns: 1_000, seed },
    )
  }, 30_000)
})
