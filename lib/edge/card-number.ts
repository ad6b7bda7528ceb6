/** What card networks give out: how a number begins, and how long it then is. */
const ISSUED = new RegExp(
  [
    '^4\\d{12}$|^4\\d{15}$|^4\\d{17,18}$',
    '^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)\\d+$',
    '^3[47]\\d{13}$',
    '^3(?:0[0-59]|[689])\\d{11,16}$',
    '^(?:35|220[0-4])\\d{12,17}$',
    '^(?:6|50|5[6-8])\\d{11,18}$',
    '^(?:2131|1800)\\d{11}$',
    '^(?:8[12]\\d\\d|8600|9860|9792)\\d{12}$',
  ].join('|'),
)
const UUIDS = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi
/** Between two groups of one number: up to three blanks, dashes or dots. */
const GAP = /^[\s.\p{Pd}]{1,3}$/u
const WORD = /[\p{L}_]/u
const LONGEST = 19

/**
 * Whether a text holds a card number: 13 to 19 digits that pass Luhn's check and begin as a network's do, in one piece or in
 * groups. Digits inside a word are none of it: ids of Stripe and others, hashes, tokens. Neither are UUIDs.
 */
export function holdsCardNumber(given: string): boolean {
  if ((given.match(/\p{Nd}/gu)?.length ?? 0) < 13) return false
  const text = given.normalize('NFKC').replace(UUIDS, '_')
  const groups = [...text.matchAll(/\d+/g)].map(({ 0: digits, index }) => ({
    digits,
    begins: !WORD.test(text[index - 1] ?? ''),
    ends: !WORD.test(text[index + digits.length] ?? ''),
    joined: false,
    index,
  }))
  for (const [place, group] of groups.entries()) {
    const before = groups[place - 1]
    group.joined =
      before !== undefined && GAP.test(text.slice(before.index + before.digits.length, group.index))
  }
  return groups.some((group, first) => group.begins && beginsCardNumber(groups, first))
}

type Group = { digits: string; ends: boolean; joined: boolean }

/** From this group on, with as many of the next as may still belong to it. */
function beginsCardNumber(groups: Group[], first: number): boolean {
  let digits = ''
  for (let place = first; place < groups.length && digits.length < LONGEST; place++) {
    const group = groups[place]
    if (!group || (place > first && !group.joined)) return false
    digits += group.digits
    if (group.ends && isIssued(digits) && passesLuhn(digits)) return true
  }
  return false
}

function isIssued(digits: string): boolean {
  return digits.length >= 13 && ISSUED.test(digits)
}

/** Asked of every place in a long text: it takes the digits as they are. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48
    const doubled = place % 2 === 0 ? digit : digit * 2
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** The same of anything that came as JSON: texts, numbers and the names of fields. */
export function holdsCardNumberDeep(value: unknown): boolean {
  if (typeof value === 'string') return holdsCardNumber(value)
  if (typeof value === 'number') return holdsCardNumber(String(value))
  if (Array.isArray(value)) return value.some(holdsCardNumberDeep)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, part]) => holdsCardNumber(name) || holdsCardNumberDeep(part))
}

/** An address as it stands in a request, with its query. */
export function addressHoldsCardNumber({ pathname, search }: { pathname: string; search: string }): boolean {
  const text = (pathname + search).replaceAll('+', ' ')
  try {
    return holdsCardNumber(decodeURIComponent(text))
  } catch {
    // Not text at all: what of it is plain is read nevertheless.
    return holdsCardNumber(
      text.replace(/%([0-9a-f]{2})/gi, (_escape, hex) => plain(Number.parseInt(hex, 16))),
    )
  }
}

function plain(byte: number): string {
  return byte < 0x80 ? String.fromCharCode(byte) : ' '
}
