// Whoever leaves the frame is often pressing the page's pay button. An error shown at once would make the frame grow and
// move that button away before the press is over.
const LEAVING_MS = 300

/**
 * Fields that say what is wrong after they were left. Each has an `input`, whose message is in the element `<id>-error`, and a `check` that
 * returns null or a problem. `onInput` gets the input and its event, before the field is judged.
 */
export function createCheckedFields(fields, { onInput, onResize }) {
  const showError = (input, error) => {
    const message = document.getElementById(`${input.id}-error`)
    if (message.textContent !== (error?.message ?? '')) message.textContent = error?.message ?? ''
    if (error) input.setAttribute('aria-invalid', 'true')
    else input.removeAttribute('aria-invalid')
    onResize()
  }

  for (const { input, check } of fields) {
    input.addEventListener('input', (event) => {
      onInput(input, event)
      const complaint = input.hasAttribute('aria-invalid') ? check() : null
      // A complaint goes away while it is being put right; a new one waits until the field is left.
      if (!complaint) showError(input, null)
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
    isComplete: () => fields.every(({ check }) => check() === null),
    isEmpty: () => fields.every(({ input }) => input.value === ''),
    /** Shows every error, moves to the first one and returns it, or null when the fields are right. */
    validate() {
      const wrong = fields.map(({ input, check }) => ({ input, error: check() })).filter(({ error }) => error)
      for (const { input, check } of fields) showError(input, check())
      wrong[0]?.input.focus()
      return wrong[0]?.error ?? null
    },
    clear() {
      for (const { input } of fields) {
        input.value = ''
        showError(input, null)
      }
    },
    setReadOnly(readOnly) {
      for (const { input } of fields) input.readOnly = readOnly
    },
  }
}
