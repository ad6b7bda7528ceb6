/** What a card number, an expiry date and a security code look like. Pure: no document, no clock of its own. */

const BRANDS = [
  { name: 'American Express', prefix: /^3[47]/, lengths: [15], cvcLength: 4, groups: [4, 6, 5] },
  { name: 'Diners Club', prefix: /^3(?:0[0-5]|[689])/, lengths: [14, 16], cvcLength: 3, groups: [4, 6, 4] },
  { name: 'Discover', prefix: /^6(?:011|4[4-9]|5)/, lengths: [16], cvcLength: 3 },
  { name: 'JCB', prefix: /^35/, lengths: [16], cvcLength: 3 },
  {
    name: 'Mastercard',
    prefix: /^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/,
    lengths: [16],
    cvcLength: 3,
  },
  { name: 'UnionPay', prefix: /^62/, lengths: [16, 17, 18, 19], cvcLength: 3 },
  { name: 'Visa', prefix: /^4/, lengths: [16], cvcLength: 3 },
]
const UNKNOWN_BRAND = { name: '', prefix: /^/, lengths: [16], cvcLength: 3 }
const FOURS = [4, 4, 4, 4, 3]
const MAX_YEARS_AHEAD = 50

export function brandOf(digits) {
  return BRANDS.find((brand) => brand.prefix.test(digits)) ?? UNKNOWN_BRAND
}

export function digitsOf(text) {
  return text.replace(/\D/g, '')
}

export function formatNumber(text) {
  const brand = brandOf(digitsOf(text))
  const digits = digitsOf(text).slice(0, Math.max(...brand.lengths))
  const groups = []
  let rest = digits
  for (const size of brand.groups && digits.length <= brand.lengths[0] ? brand.groups : FOURS) {
    if (rest) groups.push(rest.slice(0, size))
    rest = rest.slice(size)
  }
  return groups.join(' ')
}

/** `1` waits, `2` becomes `02`, `13` becomes `01 / 3`, and the `12/2034` of an autofill becomes `12 / 34`. */
export function formatExpiry(text) {
  let digits = digitsOf(text)
  if (/^[2-9]/.test(digits) || /^1[3-9]/.test(digits) || /^1\s*\//.test(text)) digits = `0${digits}`
  const month = digits.slice(0, 2)
  const year = digits.length >= 6 ? digits.slice(4, 6) : digits.slice(2, 4)
  return digits.length < 2 ? month : `${month} / ${year}`
}

export function formatCvc(text, numberText) {
  return digitsOf(text).slice(0, brandOf(digitsOf(numberText)).cvcLength)
}

/** Each check returns null or Stripe's code and sentence. */
export function checkNumber(text) {
  const digits = digitsOf(text)
  const { lengths } = brandOf(digits)
  if (digits.length < Math.min(...lengths))
    return problem('incomplete_number', 'Your card number is incomplete.')
  if (!lengths.includes(digits.length) || !passesLuhn(digits)) {
    return problem('invalid_number', 'Your card number is invalid.')
  }
  return null
}

export function checkExpiry(text, now) {
  if (digitsOf(text).length < 4) {
    return problem('incomplete_expiry', "Your card's expiration date is incomplete.")
  }
  const { month, year } = readExpiry(text)
  if (month < 1 || month > 12) {
    return problem('invalid_expiry_month', "Your card's expiration month is invalid.")
  }
  const thisYear = now.getFullYear()
  if (year > thisYear + MAX_YEARS_AHEAD) {
    return problem('invalid_expiry_year', "Your card's expiration year is invalid.")
  }
  if (year < thisYear)
    return problem('invalid_expiry_year_past', "Your card's expiration year is in the past.")
  if (year === thisYear && month < now.getMonth() + 1) {
    return problem('invalid_expiry_month_past', "Your card's expiration date is in the past.")
  }
  return null
}

export function checkCvc(text, numberText) {
  const complete = digitsOf(text).length === brandOf(digitsOf(numberText)).cvcLength
  return complete ? null : problem('incomplete_cvc', "Your card's security code is incomplete.")
}

export function readExpiry(text) {
  const digits = digitsOf(text)
  return { month: Number(digits.slice(0, 2)), year: 2000 + Number(digits.slice(2, 4)) }
}

function problem(code, message) {
  return { type: 'validation_error', code, message }
}

function passesLuhn(digits) {
  let sum = 0
  for (const [index, character] of [...digits].reverse().entries()) {
    const value = Number(character) * (index % 2 === 0 ? 1 : 2)
    sum += value > 9 ? value - 9 : value
  }
  return sum % 10 === 0
}
