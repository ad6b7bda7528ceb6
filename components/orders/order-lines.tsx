import { Money } from '@/components/ui/money'
import type { OrderView } from '@/lib/orders/get-order'

type OrderLinesProps = { order: Pick<OrderView, 'lines' | 'totalMinor' | 'currency'> }

/** The lines of an order and their sum, set like an invoice: the currency stands in the heading and on the total. */
export function OrderLines({ order }: OrderLinesProps) {
  return (
    <table className="w-full text-14">
      <caption className="sr-only">What this order holds</caption>
      <thead>
        <tr className="border-b text-13 text-ink-soft">
          <th scope="col" className="py-2 pr-4 text-left font-normal">
            Item
          </th>
          <th scope="col" className="hidden px-4 py-2 text-right font-normal sm:table-cell">
            Quantity
          </th>
          <th scope="col" className="hidden px-4 py-2 text-right font-normal sm:table-cell">
            Price
          </th>
          <th scope="col" className="py-2 pl-4 text-right font-normal">
            <span className="sr-only">Amount in </span>
            {order.currency.toUpperCase()}
          </th>
        </tr>
      </thead>
      <tbody>
        {order.lines.map((line, index) => (
          // Lines are fixed once the order exists, so their place is their identity.
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          <tr key={index} className="border-b align-top">
            <td className="py-3 pr-4">
              {line.name}
              <span className="block text-13 text-ink-soft sm:hidden">
                {line.quantity} × <Money amountMinor={line.unitAmountMinor} currency={order.currency} bare />
              </span>
            </td>
            <td className="hidden px-4 py-3 text-right tabular-nums sm:table-cell">{line.quantity}</td>
            <td className="hidden px-4 py-3 text-right sm:table-cell">
              <Money amountMinor={line.unitAmountMinor} currency={order.currency} bare />
            </td>
            <td className="py-3 pl-4 text-right">
              <Money amountMinor={line.amountMinor} currency={order.currency} bare />
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr className="text-16 font-semibold">
          <th scope="row" className="pt-4 text-left font-semibold">
            Total
          </th>
          <td className="hidden sm:table-cell" />
          <td className="hidden sm:table-cell" />
          <td className="pt-4 text-right">
            <Money amountMinor={order.totalMinor} currency={order.currency} />
          </td>
        </tr>
      </tfoot>
    </table>
  )
}
