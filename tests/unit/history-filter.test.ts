import { describe, expect, it } from 'vitest'
import { filterFrom, searchFor } from '@/lib/payments/history-filter'

describe('a filter in an address', () => {
  it('is what of it can be understood; the rest of it is left out', () => {
    const query = {
      status: 'paid',
      from: '2026-02-30',
      to: '2026-02-28',
      q: '  book ',
      cursor: 'x',
      utm: ['a', 'b'],
    }

    expect(filterFrom(query)).toEqual({ status: 'paid', to: '2026-02-28', q: 'book' })
    expect(filterFrom({ status: '', from: '', to: '', q: ' ' })).toEqual({})
    expect(filterFrom({ status: ['paid', 'canceled'], q: '4242 4242 4242 4242' })).toEqual({})
    expect(filterFrom({ q: 'a\0b' })).toEqual({})
  })
})

describe('a search', () => {
  const ids = {
    kind: 'payment',
    firstId: '0123abcd-4567-0000-0000-000000000000',
    lastId: '0123abcd-4567-ffff-ffff-ffffffffffff',
  }

  it.each([
    ['P-0123ABCD4567', ids],
    ['0123abcd4567', ids],
    ['PW-0123456789', { kind: 'order', reference: 'PW-0123456789' }],
    ['order pw-abcdefghjk', { kind: 'order', reference: 'PW-ABCDEFGHJK' }],
    ['4242', { kind: 'card', last4: '4242' }],
    ['100%_*\\', { kind: 'text', pattern: '%100\\%\\__\\\\%' }],
  ])('for %j is for what it names', (text, search) => {
    expect(searchFor(text)).toEqual(search)
  })
})
