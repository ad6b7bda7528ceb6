import type { FormAction } from '@/components/ui/action-form'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { Bar, Skeleton } from '@/components/ui/skeleton'
import type { Product } from '@/lib/catalogue/list-products'
import { OrderForm } from './order-form'

const LIST = 'divide-y border-y'
// On a phone the description runs below name and price; wider, price and form stand beside both.
const ROW = 'grid grid-cols-[1fr_auto] gap-x-6 py-5 sm:grid-cols-[1fr_auto_auto]'

export function ProductList({ products, order }: { products: Product[]; order: FormAction }) {
  if (products.length === 0) {
    return (
      <EmptyState title="Nothing on offer yet">
        Products appear here with their prices as soon as there are any. Please come back later.
      </EmptyState>
    )
  }
  return (
    <ul className={LIST}>
      {products.map((product) => (
        <li key={product.id} className={ROW}>
          <h2 className="min-w-0 self-end text-16 font-medium sm:col-start-1">{product.name}</h2>
          <Money
            amountMinor={product.amountMinor}
            currency={product.currency}
            className="text-right text-16 sm:col-start-2 sm:row-span-2 sm:row-start-1 sm:self-center"
          />
          <p className="col-span-2 max-w-[48ch] text-14 text-ink-soft sm:col-span-1 sm:col-start-1 sm:row-start-2">
            {product.description}
          </p>
          <OrderForm product={product} order={order} />
        </li>
      ))}
    </ul>
  )
}

/** The shape of the price list while it is fetched. */
export function ProductListSkeleton() {
  return (
    <Skeleton label="Loading the catalogue" className={LIST}>
      {['w-40', 'w-52', 'w-36'].map((width) => (
        <div key={width} className={`${ROW} border-b last:border-b-0`}>
          <div className="space-y-2">
            <Bar className={`h-4 ${width}`} />
            <Bar className="h-3.5 w-full max-w-72" />
          </div>
          <Bar className="h-4 w-16 sm:self-center" />
          <Bar className="col-span-2 mt-3 h-11 sm:col-span-1 sm:mt-0 sm:w-38" />
        </div>
      ))}
    </Skeleton>
  )
}
