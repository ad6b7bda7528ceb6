import { adminSql } from './db'
import type { OpenedPayment } from './payment-rows'

/** From before `act` begins until it has ended, somebody else has these payments locked. */
export async function whileLocked<Result>(
  payments: OpenedPayment[],
  act: () => Promise<Result>,
): Promise<Result> {
  const ids = payments.map(({ paymentId }) => paymentId)
  const { result } = await adminSql().begin(async (sql) => {
    await sql`select 1 from public.payments where id = any (${ids}::uuid[]) for update`
    return { result: await act() }
  })
  return result
}
