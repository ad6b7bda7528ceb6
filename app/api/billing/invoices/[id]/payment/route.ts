import { requireFreshUser } from '@/lib/auth/session'
import { payInvoice } from '@/lib/billing/pay-invoice'
import { json, route } from '@/lib/http'

/** What the person needs to pay an invoice of theirs, or to answer their bank about it. */
export const POST = route(async (_request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireFreshUser()
  const { id } = await params

  return json(await payInvoice({ user, invoiceId: id }))
})
