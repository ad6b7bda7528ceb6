const CARDS = [
  { number: '4242 4242 4242 4242', does: 'pays' },
  { number: '4000 0000 0000 9995', does: 'is declined' },
  { number: '4000 0025 0000 3155', does: 'asks you to confirm' },
]

/** Cards to try on a copy that takes no real money. */
export function TestCards() {
  return (
    <section aria-labelledby="test-cards" className="mt-10 text-13 text-ink-soft">
      <h2 id="test-cards" className="text-13 font-medium">
        Test cards
      </h2>
      <dl className="mt-1 space-y-0.5">
        {CARDS.map(({ number, does }) => (
          <div key={number} className="flex flex-wrap gap-x-3">
            <dt className="font-mono tabular-nums text-ink select-all">{number}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-1">Any date to come, any three digits.</p>
    </section>
  )
}
