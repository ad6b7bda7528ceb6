import type { NextRequest } from 'next/server'
import type { Window } from './fixed-window'

const AUTH: Window = { name: 'auth', limit: 20, seconds: 60 }
const PAYMENTS: Window = { name: 'payments', limit: 120, seconds: 60 }
const AUTH_PAGES = /^\/(sign-in|sign-up|forgotten-password|new-password|check-your-mail|auth)(\/|$)/

/** The address limit of a request, or null. How many payments a person may start is counted where they are started. */
export function limitFor(request: NextRequest): Window | null {
  const { pathname } = request.nextUrl
  if (request.method === 'POST' && AUTH_PAGES.test(pathname)) return AUTH
  if (pathname.startsWith('/api/payments/')) return PAYMENTS
  return null
}
