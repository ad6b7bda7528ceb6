import { PageLink } from '@/components/site/page-link'
import { Button, buttonLook } from '@/components/ui/button'
import { Field } from '@/components/ui/field'
import { Select } from '@/components/ui/select'
import type { HistoryFilter } from '@/lib/payments/history-filter'

const STATES = [
  { value: '', label: 'All' },
  { value: 'paid', label: 'Paid' },
  { value: 'refunded', label: 'Refunded' },
  { value: 'unfinished', label: 'Not finished' },
  { value: 'canceled', label: 'Cancelled' },
]

/** What to look for in the history. A plain form: its answer has an address that can be kept and sent. */
export function HistoryFilterForm({ filter }: { filter: HistoryFilter }) {
  const isFiltered = Object.keys(filter).length > 0
  return (
    <search aria-label="Your payments">
      <form action="/payments" className="mb-4 grid grid-cols-2 items-end gap-x-3 gap-y-2 lg:flex">
        <Field
          label="Search"
          name="q"
          type="search"
          defaultValue={filter.q}
          maxLength={80}
          placeholder="Reference, order or last four digits"
          autoComplete="off"
          className="col-span-2 lg:grow"
        />
        <div className="col-span-2 lg:w-40">
          <span aria-hidden="true" className="mb-1 block text-14 font-medium">
            Status
          </span>
          <Select
            label="Status"
            name="status"
            defaultValue={filter.status ?? ''}
            options={STATES}
            className="w-full"
          />
        </div>
        <Field label="From" name="from" type="date" defaultValue={filter.from} className="lg:w-40" />
        <Field label="To" name="to" type="date" defaultValue={filter.to} className="lg:w-40" />
        <div className="col-span-2 flex gap-2">
          <Button type="submit" className="grow">
            Search
          </Button>
          {isFiltered && (
            <PageLink href="/payments" className={buttonLook('quiet')}>
              Clear
            </PageLink>
          )}
        </div>
      </form>
    </search>
  )
}

/** The same search in an address: of the page, or of the file. */
export function withFilter(path: string, filter: HistoryFilter, more: [string, string][] = []): string {
  const query = new URLSearchParams([...Object.entries(filter), ...more])
  return query.size > 0 ? `${path}?${query}` : path
}
