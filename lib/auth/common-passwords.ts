import 'server-only'
import { dictionary } from '@zxcvbn-ts/language-common'

const SUBSTITUTES: Record<string, string> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
}

const RANKED = dictionary['passwords-common'].map(plain)
const LISTED = new Set(RANKED)
/** Short ones are parts of too much. */
const MOST_COMMON = new Set(RANKED.slice(0, 3000).filter((entry) => entry.length >= 4))

/** So many letters of one's own make a password out of a common one. */
const OWN_LETTERS = 5

/**
 * Whether a password is on the list of common ones, or is one of the most common with little more around it:
 * `Password2026!`, `qwertyqwerty`, `p@ssw0rd1234`. The name of this site and of its owner's mailbox count as common here.
 */
export function isCommonPassword(password: string, email = ''): boolean {
  const names = ['paywright', email.split('@')[0] ?? ''].map(plain)
  const text = plain(password)
  return (
    LISTED.has(text) || isPadding(text, password, (part) => MOST_COMMON.has(part) || names.includes(part))
  )
}

/** Whether something common, wherever it stands, leaves too little when it is taken out. */
function isPadding(text: string, original: string, isCommon: (part: string) => boolean): boolean {
  for (let start = 0; start < text.length; start++) {
    for (let end = start + 4; end <= text.length; end++) {
      const part = text.slice(start, end)
      if (isCommon(part) && lettersOutside(part, text, original) < OWN_LETTERS) return true
    }
  }
  return false
}

/** Letters as they were typed: the figures behind `password1111` are none. */
function lettersOutside(part: string, text: string, original: string): number {
  let rest = original
  for (let at = text.lastIndexOf(part); at >= 0; at = text.lastIndexOf(part, at - part.length)) {
    rest = rest.slice(0, at) + rest.slice(at + part.length)
    if (at < part.length) break
  }
  return rest.match(/\p{L}/gu)?.length ?? 0
}

/** In small letters, signs and figures read as the letters they stand in for. As long as it was. */
function plain(text: string): string {
  return text.replace(/./gsu, (sign) => SUBSTITUTES[sign] ?? lowerCase(sign))
}

/** A few letters would become two. */
function lowerCase(letter: string): string {
  const lower = letter.toLowerCase()
  return lower.length === letter.length ? lower : letter
}
