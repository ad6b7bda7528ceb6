import { createCardForm } from '/frame/assets/frame/card-form.js'
import { complain, ready, send, whileBusy } from './send.js'

const form = document.getElementById('checkout')
const email = document.getElementById('email')
const card = form.dataset.needsCard === 'true' ? createCardForm({ onChange() {}, onResize() {} }) : null

form.addEventListener('submit', (event) => {
  event.preventDefault()
  complain('form-error', '')
  if (!checkEmail() || (card !== null && card.validate() !== null)) return
  void whileBusy(form, 'One moment. It is safe to wait here.', pay)
})

async function pay() {
  const name = document.getElementById('name')?.value.trim()
  const answer = await send(location.href, {
    ...(email ? { email: email.value.trim() } : {}),
    ...(name ? { name } : {}),
    ...(card ? { card: card.read() } : {}),
  })
  if (answer.redirectTo) {
    location.assign(answer.redirectTo)
    await new Promise(() => {})
  }
  complain('form-error', answer.message ?? 'That did not work. Try again.')
}

function checkEmail() {
  if (!email) return true
  const right = /^\S+@\S+$/.test(email.value.trim())
  complain('email-error', right ? '' : 'Enter the e-mail address for the receipt.')
  if (right) email.removeAttribute('aria-invalid')
  else {
    email.setAttribute('aria-invalid', 'true')
    email.focus()
  }
  return right
}

const promotion = document.getElementById('promotion')
promotion?.addEventListener('submit', (event) => {
  event.preventDefault()
  void whileBusy(promotion, '', async () => {
    const code = document.getElementById('code').value.trim()
    const answer = await send(`${location.pathname}/promotion_code`, { code })
    if (answer.redirectTo) location.assign(answer.redirectTo)
    else complain('code-error', answer.message)
  })
})

ready()
