// What the pages gain from a script; they work without it.

const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
for (const time of document.querySelectorAll('time'))
  time.textContent = format.format(new Date(time.dateTime))

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy)
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 2000)
  })
}

// A second click would do it twice. The button itself may carry a value, so it is disabled only after the form was read.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener('submit', () => {
    setTimeout(() => {
      for (const button of form.querySelectorAll('button')) button.disabled = true
    })
  })
}
addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('button')) button.disabled = false
})
