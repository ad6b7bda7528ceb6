import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'

const Product = z.object({
  id: z.uuid(),
  name: z.string(),
  description: z.string(),
  amountMinor: z.number().int(),
  currency: z.string(),
})
export type Product = z.infer<typeof Product>

/** What can be ordered, in the order it is shown. */
export async function listProducts(): Promise<Product[]> {
  return z.array(Product).parse(await callService('list_products', {}))
}
