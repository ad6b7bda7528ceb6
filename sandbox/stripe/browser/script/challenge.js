import { connectFrame } from '../shared/channel.js'
import { IntegrationError } from './errors.js'
import { createFrame, STRIPE_ORIGIN } from './frames.js'

const FOCUS_PATIENCE_MS = 10_000
// The hidden frame stays until the browser is done with the key press or click that ended it.
const LINGER_MS = 100

/**
 * Shows the bank's check in a modal dialog and resolves to how it ended: `finished` (passed or failed, the intent
 * knows), `closed` (given up; the intent still waits) or `unreachable`. `opener` gets the focus back.
 */
export function showChallenge(address, opener) {
  const url = new URL(address)
  if (url.origin !== STRIPE_ORIGIN) {
    throw new IntegrationError(
      `The next action is at ${url.origin}, but Stripe.js was loaded from ${STRIPE_ORIGIN}.`,
    )
  }
  return new Promise((resolve) => {
    const dialog = createDialog()
    const iframe = createFrame({
      kind: 'Frame',
      path: url.href,
      title: '3D Secure authentication',
      styles: { width: 'min(420px, 100%)', height: '420px', borderRadius: '8px', maxHeight: '100%' },
    })
    let ended = false
    const end = (outcome) => {
      if (ended) return
      ended = true
      connection.close(outcome)
      dialog.style.display = 'none'
      dialog.close()
      iframe.blur()
      setTimeout(() => dialog.remove(), LINGER_MS)
      returnFocus(opener)
      resolve(outcome)
    }
    const connection = connectFrame(iframe, STRIPE_ORIGIN, {
      onEvent(name, detail) {
        if (name === 'resize') iframe.style.height = `${detail.heightPx}px`
        if (name === 'finished' || name === 'closed') end(name)
      },
      onUnreachable: () => end('unreachable'),
    })
    // Escape pressed in the frame arrives as its `closed` event; this is Escape while the dialog itself has the focus.
    dialog.addEventListener('close', () => end('closed'))
    dialog.append(iframe)
    document.body.append(dialog)
    dialog.showModal()
    iframe.focus()
  })
}

/** A dialog that covers the window and is its own backdrop: `::backdrop` would need a style sheet. */
function createDialog() {
  const dialog = document.createElement('dialog')
  dialog.setAttribute('aria-label', '3D Secure authentication')
  Object.assign(dialog.style, {
    position: 'fixed',
    inset: '0',
    width: '100%',
    height: '100%',
    maxWidth: 'none',
    maxHeight: 'none',
    margin: '0',
    border: '0',
    padding: 'min(12vh, 96px) 16px 16px',
    boxSizing: 'border-box',
    display: 'grid',
    // From the top, not centred: the frame learns its height after it is shown, and buttons must not move under a pointer.
    placeItems: 'start center',
    background: 'rgb(10 12 18 / 0.55)',
  })
  return dialog
}

/** The pay button is usually disabled until the page hears our answer, so try for a while; never take focus from elsewhere. */
function returnFocus(opener) {
  const giveUpAt = performance.now() + FOCUS_PATIENCE_MS
  const attempt = () => {
    const nobodyHasIt = document.activeElement === null || document.activeElement === document.body
    if (!opener?.isConnected || !nobodyHasIt) return
    opener.focus()
    if (document.activeElement !== opener && performance.now() < giveUpAt) requestAnimationFrame(attempt)
  }
  attempt()
}
