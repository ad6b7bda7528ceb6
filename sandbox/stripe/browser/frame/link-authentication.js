import { acceptConnection } from '../shared/channel.js'
import { applyAppearance } from './appearance.js'
import { createCheckedFields } from './checked-fields.js'
import { reportFrameEvents, takeFocus } from './frame-events.js'

const email = document.getElementById('email')
const fields = createCheckedFields([{ input: email, check }], {
  onInput: tellChange,
  onResize: () => reportHeight(),
})

const emit = acceptConnection({
  init({ appearance, options }) {
    applyAppearance(appearance)
    email.value = options.defaultValues?.email ?? ''
    document.body.removeAttribute('aria-busy')
    reportHeight()
    if (email.value) tellChange()
    return {}
  },
  update({ appearance }) {
    if (appearance) applyAppearance(appearance)
    reportHeight()
    return {}
  },
  submit() {
    const error = fields.validate()
    return error ? { error } : {}
  },
  getValue: () => ({ email: email.value.trim() }),
  focus: () => takeFocus(() => email.focus()),
  blur: () => document.activeElement?.blur(),
  clear() {
    fields.clear()
    tellChange()
  },
})
const reportHeight = reportFrameEvents(emit)

function check() {
  const text = email.value.trim()
  if (text === '') return problem('incomplete_email', 'Your email address is incomplete.')
  return email.checkValidity() ? null : problem('invalid_email', 'Your email address is invalid.')
}

function problem(code, message) {
  return { type: 'validation_error', code, message }
}

function tellChange() {
  emit('change', {
    complete: fields.isComplete(),
    empty: fields.isEmpty(),
    value: { email: email.value.trim() },
  })
}
