import { dictionary } from '@zxcvbn-ts/language-common'
import { describe, expect, it } from 'vitest'
import { isCommonPassword } from '@/lib/auth/common-passwords'
import { SignUpInput } from '@/lib/auth/schema'

const ranked = dictionary['passwords-common']
const accepts = (password: string) => SignUpInput.safeParse({ email: 'ada@example.test', password }).success

describe('the password rule', () => {
  it('refuses all three thousand most common passwords, and every longer one on the list (A10)', () => {
    const listed = [...ranked.slice(0, 3_000), ...ranked.filter((entry) => entry.length >= 12)]

    expect(listed.length).toBeGreaterThan(3_200)
    expect(listed.filter(accepts)).toEqual([])
  })

  it.each<[string, (entry: string) => string]>([
    ['in capitals', (entry) => entry.toUpperCase().padEnd(12, '1')],
    ['with a year and a sign', (entry) => `${entry}2026!!!!`],
    ['with figures before it', (entry) => `20262026${entry}`],
    ['again and again', (entry) => entry.repeat(Math.ceil(12 / entry.length))],
    [
      'behind substitutes',
      (entry) => entry.replaceAll('a', '@').replaceAll('o', '0').replaceAll('s', '$').padEnd(12, '#'),
    ],
  ])('refuses the three thousand %s (A10)', (_how, hide) => {
    const hidden = ranked
      .slice(0, 3_000)
      .filter((entry) => entry.length >= 4)
      .map(hide)

    expect(hidden.length).toBeGreaterThan(2_900)
    expect(
      hidden.filter((password) => new TextEncoder().encode(password).length <= 72 && accepts(password)),
    ).toEqual([])
  })

  it('asks for twelve characters and for nothing else: no capitals, figures or signs (A10)', () => {
    expect(['qhzmwtvbxkd', 'qhzmwtvbxkdj'].map(accepts)).toEqual([false, true])
    for (const password of [
      'correct horse battery staple',
      'kiesel mond garten',
      'ein sehr langer satz ohne alles',
      'Xk9$vQ2m!Lp7',
      'пароль из нескольких слов',
      'qhzmwtvbxkdj',
      '  spaces count too  ',
    ])
      expect(accepts(password), password).toBe(true)
  })

  it('refuses the name of this site or of the mailbox with little around it (A10)', () => {
    expect(isCommonPassword('Paywright-2026')).toBe(true)
    expect(isCommonPassword('ada.lovelace1815', 'Ada.Lovelace@example.test')).toBe(true)
    expect(isCommonPassword('ada.lovelace and her engine', 'ada.lovelace@example.test')).toBe(false)
  })
})
