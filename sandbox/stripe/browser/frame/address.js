import { acceptConnection } from '../shared/channel.js'
import { applyAppearance } from './appearance.js'
import { createCheckedFields } from './checked-fields.js'
import { fillCountries } from './country-field.js'
import { reportFrameEvents, takeFocus } from './frame-events.js'

const find = (id) => document.getElementById(id)

const NEEDED = [
  ['name', 'incomplete_name', 'Your name is incomplete.'],
  ['line1', 'incomplete_address', 'Your address is incomplete.'],
  ['city', 'incomplete_city', 'Your city is incomplete.'],
  ['postal_code', 'incomplete_postal_code', 'Your postal code is incomplete.'],
]
const country = find('country')
const phone = find('phone')

const fields = createCheckedFields(
  NEEDED.map(([id, code, message]) => ({
    input: find(id),
    check: () => (find(id).value.trim() === '' ? { type: 'validation_error', code, message } : null),
  })),
  { onInput: tellChange, onResize: () => reportHeight() },
)

let allowed
let elementMode = 'shipping'

const emit = acceptConnection({
  init({ appearance, options }) {
    applyAppearance(appearance)
    configure(options)
    fill(options.defaultValues)
    document.body.removeAttribute('aria-busy')
    reportHeight()
    return {}
  },
  update({ appearance, options }) {
    if (appearance) applyAppearance(appearance)
    if (options) configure(options)
    reportHeight()
    return {}
  },
  submit() {
    const error = fields.validate()
    return error ? { error } : {}
  },
  getValue: () => value(),
  focus: () => takeFocus(() => find('name').focus()),
  blur: () => document.activeElement?.blur(),
  clear() {
    fields.clear()
    for (const id of ['line2', 'state', 'phone']) find(id).value = ''
    tellChange()
  },
})
const reportHeight = reportFrameEvents(emit)
for (const id of ['line2', 'state', 'phone', 'country']) find(id).addEventListener('input', tellChange)
fillCountries(country)

function configure({ mode, allowedCountries, fields: shown } = {}) {
  elementMode = mode
  find('phone-field').hidden = shown?.phone !== 'always'
  if (JSON.stringify(allowedCountries) === JSON.stringify(allowed)) return
  allowed = allowedCountries
  fillCountries(country, allowed)
}

function fill({ name, phone: number, address = {} } = {}) {
  if (name) find('name').value = name
  if (number) phone.value = number
  for (const id of ['line1', 'line2', 'city', 'state', 'postal_code', 'country']) {
    if (address[id]) find(id).value = address[id]
  }
}

function value() {
  const read = (id) => find(id).value.trim()
  return {
    complete: fields.isComplete(),
    isNewAddress: true,
    value: {
      name: read('name'),
      address: {
        line1: read('line1'),
        line2: read('line2') || null,
        city: read('city'),
        state: read('state'),
        postal_code: read('postal_code'),
        country: country.value,
      },
      ...(find('phone-field').hidden ? {} : { phone: read('phone') }),
    },
  }
}

function tellChange() {
  emit('change', { elementMode, empty: fields.isEmpty(), ...value() })
}
