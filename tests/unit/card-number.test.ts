import { randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressHoldsCardNumber, holdsCardNumber, holdsCardNumberDeep } from '@/lib/edge/card-number'

/** A number of this length that begins so and passes Luhn's check. */
function cardNumber(begin: string, length: number, filling: number[]): string {
  const body = [...begin, ...filling.map(String)].slice(0, length - 1).join('')
  const sum = [...body]
    .reverse()
    .map((digit, place) => (place % 2 === 0 ? Number(digit) * 2 : Number(digit)))
    .reduce((total, digit) => total + (digit > 9 ? digit - 9 : digit), 0)
  return body + String((10 - (sum % 10)) % 10)
}

const cards = fc
  .tuple(
    fc.constantFrom(
      ...([
        ['4', 13],
        ['4', 16],
        ['4', 19],
        ['51', 16],
        ['55', 16],
        ['2221', 16],
        ['2720', 16],
        ['34', 15],
        ['37', 15],
        ['36', 14],
        ['3056', 14],
        ['3530', 16],
        ['6011', 16],
        ['65', 16],
        ['62', 17],
        ['62', 19],
        ['5018', 14],
        ['2200', 16],
      ] as const),
    ),
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 19, maxLength: 19 }),
  )
  .map(([[begin, length], filling]) => cardNumber(begin, length, filling))

describe('a card number in what somebody sends', () => {
  it('is found in any grouping, in any surroundings [L2]', () => {
    const surroundings = fc.constantFrom('', 'my card is ', 'pan=', '(', '12/28 ', 'Order 5, ', '\n', '+')
    const gaps = fc.constantFrom('', ' ', '-', ' - ', '.', '\u00a0', '–')
    fc.assert(
      fc.property(cards, surroundings, gaps, fc.nat({ max: 5 }), (card, before, gap, first) => {
        const groups = [card.slice(0, first + 1), ...(card.slice(first + 1).match(/.{1,4}/g) ?? [])]

        return holdsCardNumber(`${before}${groups.join(gap)}, thanks`)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    '4242424242424242',
    '4242 4242 4242 4242',
    '4242-4242-4242-4242',
    '４２４２４２４２４２４２４２４２',
    '5555555555554444',
    '3782 822463 10005',
    '6011111111111117',
    '30569309025904',
    '3566002020360505',
    '4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2',
    '4242 4242 4242 4242 12/28 123',
  ])('is found in %j [L2]', (text) => {
    expect(holdsCardNumber(text)).toBe(true)
  })

  it('is found in texts, numbers and names of fields, however deep, and in addresses [L2]', () => {
    expect(holdsCardNumberDeep({ a: [{ b: 'x 4242424242424242' }] })).toBe(true)
    expect(holdsCardNumberDeep({ a: 4242424242424242 })).toBe(true)
    expect(holdsCardNumberDeep({ '4242424242424242': 1 })).toBe(true)
    expect(addressHoldsCardNumber(new URL('http://x/a/4242-4242-4242-4242'))).toBe(true)
    expect(addressHoldsCardNumber(new URL('http://x/?q=4242+4242%204242+4242'))).toBe(true)
    expect(addressHoldsCardNumber(new URL('http://x/?q=%E0%A44242424242424242'))).toBe(true)
  })

  it('is never seen in what we use as ids and keys', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat(), (uuid, seed) => {
        const hex = randomBytes(24).toString('hex')
        return ![
          uuid,
          uuid.toUpperCase(),
          `payment:${uuid}:1`,
          `pi_3${hex}`,
          `pi_4242424242424242`,
          `cs_test_${hex}_secret_${hex}`,
          randomBytes(32).toString('base64url'),
          hex,
          String(1_700_000_000_000 + seed),
          new Date(seed * 1000).toISOString(),
        ].some(holdsCardNumber)
      }),
      { numRuns: 2_000 },
    )
    // All digits, and with them sixteen in a row that would pass.
    expect(holdsCardNumber('42424242-4242-4242-8424-242424242424')).toBe(false)
    expect(holdsCardNumber(randomUUID())).toBe(false)
  })

  it('takes no longer the longer a text is', () => {
    // Of the processor's time: a busy machine takes longer by the clock. Were it squared, this would be minutes.
    const before = process.cpuUsage()
    for (const text of ['1 '.repeat(32_000), '4242'.repeat(16_000), `${'4 '.repeat(32_000)}x`])
      holdsCardNumber(text)

    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000)
  })
})
