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

// Whoever leaves the frame is often pressing the page's pay button. An error shown at once would make the frame grow and
// move that button away before the press is over.
const LEAVING_MS = 300

const find = (id) => document.getElementById(id)

/** The card fields: formats while typing, shows what is wrong after leaving a field, reads them once they are right. */
export function createCardForm({ onChange, onResize }) {
  const number = find('number')
  const expiry = find('expiry')
  const cvc = find('cvc')
  const checks = [
    { input: number, check: () => checkNumber(number.value) },
    { input: expiry, check: () => checkExpiry(expiry.value, new Date()) },
    { input: cvc, check: () => checkCvc(cvc.value, number.value) },
  ]

  const firstError = () => checks.map(({ check }) => check()).find(Boolean) ?? null
  const changed = () => {
    onChange({
      complete: firstError() === null,
      empty: checks.every(({ input }) => input.value === ''),
      collapsed: false,
      value: { type: 'card' },
    })
  }
  const showError = (input, error) => {
    const message = find(`${input.id}-error`)
    if (message.textContent !== (error?.message ?? '')) message.textContent = error?.message ?? ''
    if (error) input.setAttribute('aria-invalid', 'true')
    else input.removeAttribute('aria-invalid')
    onResize()
  }
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

  for (const { input, check } of checks) {
    input.addEventListener('input', (event) => {
      reformat(input, formats.get(input), event.inputType?.startsWith('delete'))
      if (input === number) adaptToBrand()
      const complaint = input.hasAttribute('aria-invalid') ? check() : null
      // A complaint goes away while it is being put right; a new one waits until the field is left.
      if (!complaint) showError(input, null)
      changed()
    })
    input.addEventListener('blur', (event) => {
      const judge = () => {
        if (document.activeElement !== input) showError(input, input.value === '' ? null : check())
      }
      if (event.relatedTarget) judge()
      else setTimeout(judge, LEAVING_MS)
    })
  }

  return {
    /** Shows every error, moves to the first one and returns it, or null when the fields are right. */
    validate() {
      const wrong = checks.map(({ input, check }) => ({ input, error: check() })).filter(({ error }) => error)
      for (const { input, check } of checks) showError(input, check())
      wrong[0]?.input.focus()
      return wrong[0]?.error ?? null
    },
    /** Stripe's `card` parameters. They leave this document in a request to Stripe's own origin only. */
    read() {
      const { month, year } = readExpiry(expiry.value)
      return { number: digitsOf(number.value), exp_month: month, exp_year: year, cvc: cvc.value }
    },
    clear() {
      for (const { input } of checks) {
        input.value = ''
        showError(input, null)
      }
      adaptToBrand()
      changed()
    },
    setReadOnly(readOnly) {
      for (const { input } of checks) input.readOnly = readOnly
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
