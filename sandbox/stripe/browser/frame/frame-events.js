/** Tells the page what happens to an element as a whole: its height, focus and Escape. Returns the function that reports the height. */
export function reportFrameEvents(emit) {
  const reportHeight = () => {
    emit('resize', { heightPx: Math.ceil(document.body.getBoundingClientRect().height) })
  }
  document.querySelector('form').addEventListener('submit', (event) => event.preventDefault())
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') emit('escape')
  })
  // Moving between two fields is neither: the element as a whole keeps the focus.
  document.addEventListener('focusin', (event) => event.relatedTarget ?? emit('focus'))
  document.addEventListener('focusout', (event) => event.relatedTarget ?? emit('blur'))
  new ResizeObserver(reportHeight).observe(document.body)
  return reportHeight
}

const FOCUS_SETTLES_MS = 500

/** Puts the caret into a field and keeps it there: the page focuses the iframe as well, and whichever comes last decides. */
export function takeFocus(focusField) {
  focusField()
  addEventListener('focus', focusField, { once: true, signal: AbortSignal.timeout(FOCUS_SETTLES_MS) })
}
