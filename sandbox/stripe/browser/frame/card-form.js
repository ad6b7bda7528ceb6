import {
  brandOf,
  checkCvc,
  checkExpiry,
  checkNumber,
  digitsOf,
  formatCvc,
  formatExpiry,
  formatNumber,
  readExpiry,
} from './card-rules.js'
import { createCheckedFields } from './checked-fields.js'

const find = (id) => document.getElementById(id)

/** The card fields: formats while typing, shows what is wrong after leaving a field, reads them once they are right. */
export function createCardForm({ onChange, onResize }) {
  const number = find('number')
  const expiry = find('expiry')
  const cvc = find('cvc')

  const adaptToBrand = () => {
    const brand = brandOf(digitsOf(number.value))
    find('number-brand').textContent = brand.name
    find('cvc-hint').textContent = `${brand.cvcLength} digits`
    cvc.value = formatCvc(cvc.value, number.value)
  }
  const formats = new Map([
    [number, formatNumber],
    [expiry, formatExpiry],
    [cvc, (text) => formatCvc(text, number.value)],
  ])
  const fields = createCheckedFields(
    [
      { input: number, check: () => checkNumber(number.value) },
      { input: expiry, check: () => checkExpiry(expiry.value, new Date()) },
      { input: cvc, check: () => checkCvc(cvc.value, number.value) },
    ],
    {
      onInput(input, event) {
        reformat(input, formats.get(input), event.inputType?.startsWith('delete'))
        if (input === number) adaptToBrand()
        onChange()
      },
      onResize,
    },
  )

  return {
    isComplete: fields.isComplete,
    isEmpty: fields.isEmpty,
    validate: fields.validate,
    setReadOnly: fields.setReadOnly,
    /** Stripe's `card` parameters. They leave this document in a request to Stripe's own origin only. */
    read() {
      const { month, year } = readExpiry(expiry.value)
      return { number: digitsOf(number.value), exp_month: month, exp_year: year, cvc: cvc.value }
    },
    clear() {
      fields.clear()
      adaptToBrand()
      onChange()
    },
    focus: () => number.focus(),
  }
}

/** Writes the formatted text back and keeps the caret behind the same digit. */
function reformat(input, format, deleting) {
  const atEnd = input.selectionStart === input.value.length
  const digitsBefore = digitsOf(input.value.slice(0, input.selectionStart ?? 0)).length
  let text = format(input.value)
  // Without this, deleting the separator would bring it back at once and the caret could never pass it.
  if (deleting && atEnd) text = text.replace(/[ /]+$/, '')
  if (text === input.value) return
  input.value = text
  if (atEnd) return
  let caret = 0
  for (let seen = 0; caret < text.length && seen < digitsBefore; caret += 1) {
    if (/\d/.test(text[caret])) seen += 1
  }
  input.setSelectionRange(caret, caret)
}
