import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvLine } from '@/lib/csv'

/** What stands in the cells of one line, read by the book (RFC 4180). */
function cellsOf(line: string): string[] {
  const found = [...line.slice(0, -2).matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)]
  return found.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

describe('a line of CSV', () => {
  it('is read back as what was written, whatever that was', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), (cells) => {
        const line = csvLine(['first', ...cells])
        const read = cellsOf(line)

        expect(line.endsWith('\r\n')).toBe(true)
        expect(read.slice(1).map((cell, index) => (cell === cells[index] ? cell : cell.slice(1)))).toEqual(
          cells,
        )
      }),
      { numRuns: 1000 },
    )
  })

  it.each(['=1+1', '+1+1', '-1+1', '@SUM(1)', '\t=1', '\r=1', ' =1', '＝1+1', '＋1', '|cmd', '%x'])(
    'no spreadsheet takes %j for a formula',
    (text) => {
      expect(cellsOf(csvLine([text]))).toEqual([`'${text}`])
    },
  )

  it.each(['-19.00', '19.00', 'Order PW-1', "O'Neil", '', 'a=b'])('%j stays what it is', (text) => {
    expect(cellsOf(csvLine([text]))).toEqual([text])
  })
})
