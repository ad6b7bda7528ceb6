import { createCardForm } from '/frame/assets/frame/card-form.js'
import { complain, ready, send, whileBusy } from './send.js'

const form = document.getElementById('add-card')
if (form) {
  const card = createCardForm({ onChange() {}, onResize() {} })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    complain('form-error', '')
    if (card.validate() !== null) return
    void whileBusy(form, 'One moment.', async () => {
      const name = document.getElementById('name').value.trim()
      const answer = await send(`${location.pathname}/cards`, {
        card: card.read(),
        ...(name ? { name } : {}),
      })
      if (answer.redirectTo) location.assign(answer.redirectTo)
      else complain('form-error', answer.message ?? 'That did not work. Try again.')
    })
  })
}

ready()
