const find = (id) => document.getElementById(id)

const BRANDS = {
  amex: 'American Express',
  diners: 'Diners Club',
  discover: 'Discover',
  jcb: 'JCB',
  mastercard: 'Mastercard',
  unionpay: 'UnionPay',
  visa: 'Visa',
}

/**
 * The customer's cards, to choose from, with "New card" last. `onChoose` is called with the choice; `remove` takes a card away and resolves to
 * an error or null. Without cards there is nothing to choose, and the list stays hidden.
 */
export function createSavedCards({ onChoose, onResize, remove }) {
  const list = find('saved-cards')
  const status = find('saved-status')
  let cards = []
  let removable = false

  const chosenId = () => list.querySelector('input:checked')?.value ?? 'new'
  const choice = () => cards.find(({ id }) => id === chosenId()) ?? null
  const chosen = () => {
    find('new-card').hidden = choice() !== null
    onChoose(choice())
    onResize()
  }
  const choose = (id) => {
    for (const input of list.querySelectorAll('input')) input.checked = input.value === id
  }
  const show = () => {
    list.hidden = cards.length === 0
    const rows = cards.map((card) => savedRow(card, removable ? askToRemove : null))
    find('saved-rows').replaceChildren(...rows, newCardRow())
  }
  /** Asks in the row itself: a dialog in a frame would cover the frame only. */
  const askToRemove = (card, row) => {
    const question = element('p', { className: 'question', textContent: 'Remove this card?' })
    const yes = button('Remove', `Remove ${spoken(card)} for good`)
    const no = button('Keep', `Keep ${spoken(card)}`)
    const ask = element('div', { className: 'removal' })
    ask.append(question, yes, no)
    const restore = () => {
      ask.remove()
      row.querySelector('.remove').hidden = false
      onResize()
    }
    no.addEventListener('click', () => {
      restore()
      row.querySelector('.remove').focus()
    })
    yes.addEventListener('click', async () => {
      yes.disabled = true
      const error = await remove(card)
      if (!error) return removed(card)
      restore()
      status.textContent = `${spoken(card)} could not be removed: ${error.message}`
      onResize()
    })
    row.querySelector('.remove').hidden = true
    row.append(ask)
    yes.focus()
    onResize()
  }
  const removed = (card) => {
    const before = chosenId()
    cards = cards.filter((other) => other !== card)
    show()
    choose(before === card.id ? (cards[0]?.id ?? 'new') : before)
    chosen()
    status.textContent = `${spoken(card)} was removed.`
    const next = list.hidden ? find('number') : list.querySelector('input:checked')
    next?.focus()
  }

  list.addEventListener('change', chosen)
  return {
    configure(paymentMethods, mayRemove) {
      cards = paymentMethods
      removable = mayRemove
      show()
      choose(cards[0]?.id ?? 'new')
      find('new-card').hidden = choice() !== null
    },
    setReadOnly(readOnly) {
      for (const control of list.querySelectorAll('input, button')) control.disabled = readOnly
    },
    focus: () => list.querySelector('input:checked')?.focus(),
    /** The payment method chosen; null for a new card. */
    choice,
  }
}

function savedRow(paymentMethod, askToRemove) {
  const { id, card } = paymentMethod
  const row = choiceRow(id)
  const expiry = `${String(card.exp_month).padStart(2, '0')}/${String(card.exp_year).slice(-2)}`
  const label = row.querySelector('label')
  const number = element('span', { className: 'together' })
  number.append(
    element('span', { textContent: '•••• ', ariaHidden: 'true' }),
    element('span', { textContent: 'ending in ', className: 'spoken' }),
    card.last4,
  )
  label.append(
    `${brandName(card)} `,
    number,
    ' ',
    element('span', { textContent: `expires ${expiry}`, className: 'hint together' }),
  )
  if (askToRemove) {
    const take = button('Remove', `Remove ${spoken(paymentMethod)}`)
    take.classList.add('remove')
    take.addEventListener('click', () => askToRemove(paymentMethod, row))
    row.append(take)
  }
  return row
}

function newCardRow() {
  const row = choiceRow('new')
  row.querySelector('label').textContent = 'New card'
  return row
}

function choiceRow(value) {
  const row = element('div', { className: 'choice' })
  const input = element('input', { type: 'radio', name: 'method', value, id: `method-${value}` })
  row.append(input, element('label', { htmlFor: input.id }))
  return row
}

function button(text, name) {
  return element('button', { type: 'button', textContent: text, ariaLabel: name })
}

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties)
}

function brandName({ brand }) {
  return BRANDS[brand] ?? 'Card'
}

function spoken({ card }) {
  return `${brandName(card)} ending in ${card.last4}`
}
