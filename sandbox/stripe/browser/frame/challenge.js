import { acceptConnection } from '../shared/channel.js'

const page = document.getElementById('challenge')
const question = document.getElementById('question')
const status = document.getElementById('status')
const close = document.getElementById('close')

// Connected means: Stripe.js shows this page in a dialog and waits. Otherwise the page stands alone and goes on to the shop.
const emit = acceptConnection({}, () => {
  close.hidden = false
  reportHeight()
  if (['passed', 'failed', 'superseded'].includes(page.dataset.state)) emit('finished')
  else page.querySelector('h1').focus()
})

function reportHeight() {
  emit('resize', { heightPx: Math.ceil(page.getBoundingClientRect().height) })
}

async function answer(choice) {
  const buttons = question.querySelectorAll('button')
  for (const button of buttons) button.disabled = true
  status.textContent = 'Sending your answer to the shop…'
  try {
    const response = await fetch(location.pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ answer: choice }),
      credentials: 'omit',
    })
    if (!response.ok) throw new Error(`The sandbox answered with status ${response.status}.`)
    const { redirectTo } = await response.json()
    status.textContent = 'Finished. You can go back to the shop.'
    question.hidden = true
    if (redirectTo) location.replace(redirectTo)
    else emit('finished')
  } catch {
    status.textContent = 'Your answer could not be sent. Nothing was decided; please try again.'
    for (const button of buttons) button.disabled = false
  }
}

// The buttons appear together with the code that answers them.
question?.removeAttribute('hidden')
question?.addEventListener('click', (event) => {
  const choice = event.target.closest('button')?.dataset.answer
  if (choice) answer(choice)
})
close.addEventListener('click', () => emit('closed'))
// On keyup: this frame is about to go, and half a key press would be left to nobody.
document.addEventListener('keyup', (event) => {
  if (event.key === 'Escape') emit('closed')
})
new ResizeObserver(reportHeight).observe(page)
