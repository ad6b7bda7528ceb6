/** The last line of every page. A copy that takes no real money says so, quietly. */
export function SiteFooter({ pretend }: { pretend: 'sandbox' | 'test' | null }) {
  return (
    <footer className="border-t print:hidden">
      <div className="column-wide flex min-h-14 flex-wrap items-center justify-between gap-x-6 gap-y-1 py-4 text-13 text-ink-soft">
        <p>Paywright</p>
        {pretend === 'sandbox' && <p>Local test stand-in for Stripe. No real money moves.</p>}
        {pretend === 'test' && <p>Stripe test mode. No real money moves.</p>}
      </div>
    </footer>
  )
}
