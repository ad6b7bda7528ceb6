'use client'

import { ActionForm, type FormAction } from '@/components/ui/action-form'
import { Select } from '@/components/ui/select'
import { SubmitButton } from '@/components/ui/submit-button'
import type { Product } from '@/lib/catalogue/list-products'

const QUANTITIES = Array.from({ length: 10 }, (_, index) => index + 1)

/** How many, and "Order". The server reads the price; the form carries only which product and how many. */
export function OrderForm({ product, order }: { product: Pick<Product, 'id' | 'name'>; order: FormAction }) {
  return (
    <ActionForm
      action={order}
      className="col-span-2 mt-3 space-y-3 sm:col-span-1 sm:col-start-3 sm:row-span-2 sm:row-start-1 sm:mt-0 sm:self-center"
    >
      {() => (
        <div className="flex gap-2">
          <input type="hidden" name="productId" value={product.id} />
          <Select
            name="quantity"
            label={`Quantity of ${product.name}`}
            options={QUANTITIES}
            className="w-18"
          />
          <SubmitButton kind="secondary" className="flex-1 sm:flex-none">
            Order<span className="sr-only"> {product.name}</span>
          </SubmitButton>
        </div>
      )}
    </ActionForm>
  )
}
