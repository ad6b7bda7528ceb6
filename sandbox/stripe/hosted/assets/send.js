/** Posts to this page's own address. What comes back says where to go, or what is wrong. */
export async function send(address, body) {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      cache: 'no-store',
    })
    return await response.json()
  } catch {
    return {
      kind: 'declined',
      message: 'The local stand-in did not answer. Nothing was charged twice: try again.',
    }
  }
}

/** One press at a time: the button is off and the page says what it waits for until `work` is over. */
export async function whileBusy(form, words, work) {
  const button = form.querySelector('button[type=submit]')
  const progress = form.querySelector('[role=status]')
  if (button.disabled) return
  button.disabled = true
  if (progress) progress.textContent = words
  try {
    await work()
  } finally {
    button.disabled = false
    if (progress) progress.textContent = ''
  }
}

/** The buttons wait for the script, so that no form is sent without it. */
export function ready() {
  for (const button of document.querySelectorAll('button[disabled]')) {
    // Leaving a field shows what is wrong with it. Were it left by pressing the button, that would move away under the pointer.
    button.addEventListener('mousedown', (event) => event.preventDefault())
    button.disabled = false
  }
}

export function complain(id, message) {
  document.getElementById(id).textContent = message
}
