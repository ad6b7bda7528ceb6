'use server'

import { redirect } from 'next/navigation'
import { requireFreshUser, requireUserOrSignIn } from '@/lib/auth/session'
import { formAction } from '@/lib/form-action'
import { createOrder } from '@/lib/orders/create-order'
import { CreateOrderInput } from '@/lib/orders/schema'

/** Put one product on a new order. Whoever is signed out is asked to sign in first. */
export const createOrderAction = formAction('createOrderAction', CreateOrderInput, async (input) => {
  await requireUserOrSignIn('/')
  const user = await requireFreshUser()
  const order = await createOrder({ user, input })
  redirect(`/orders/${order.id}`)
})
