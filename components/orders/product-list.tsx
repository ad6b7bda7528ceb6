import type { FormAction } from '@/components/ui/action-form'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { Bar, Skeleton } from '@/components/ui/skeleton'
import type { Product } from '@/lib/catalogue/list-products'
import { OrderForm } from './order-form'

const LIST = 'divide-y border-y'
const ROW = 'grid grid-cols-[1fr_auto] items-center gap-x-6 gap-y-3 py-5 sm:grid-cols-[1fr_auto_auto]'

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
          <div className="min-w-0">
            <h2 className="text-16 font-medium">{product.name}</h2>
            {product.description && (
              <p className="max-w-[48ch] text-14 text-ink-soft">{product.description}</p>
            )}
          </div>
          <Money
            amountMinor={product.amountMinor}
            currency={product.currency}
            className="self-start text-right text-16 sm:self-center"
          />
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
          <Bar className="h-4 w-16" />
          <Bar className="col-span-2 h-11 sm:col-span-1 sm:w-42" />
        </div>
      ))}
    </Skeleton>
  )
}
