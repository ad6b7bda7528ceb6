import { Suspense } from 'react'
import { ProductList, ProductListSkeleton } from '@/components/orders/product-list'
import { PageHeader } from '@/components/ui/page-header'
import { listProducts } from '@/lib/catalogue/list-products'
import { createOrderAction } from './actions'

export default function CataloguePage() {
  return (
    <div className="column">
      <PageHeader title="Catalogue">Choose what you need. You pay on the next page.</PageHeader>
      <Suspense fallback={<ProductListSkeleton />}>
        <Products />
      </Suspense>
    </div>
  )
}

async function Products() {
  return <ProductList products={await listProducts()} order={createOrderAction} />
}
