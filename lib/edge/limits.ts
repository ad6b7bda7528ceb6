import type { NextRequest } from 'next/server'
import type { Window } from './fixed-window'

/** Signing in, signing up, placing an order: whatever a page's form does. */
const ACTIONS: Window = { name: 'actions', limit: 20, seconds: 60 }
const PAYING: Window = { name: 'paying', limit: 60, seconds: 60 }
/** A result page asks once or twice a second, and a household shares an address. */
const READING: Window = { name: 'reading', limit: 600, seconds: 60 }

/**
 * The address limit of a request, or null. A form's action can be sent to any page's address, so forms are told by their
 * method and not by their path. How many payments a person may start is counted where they are started.
 */
export function limitFor(request: NextRequest): Window | null {
  const { pathname } = request.nextUrl
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (pathname.startsWith('/api/payments/')) return isRead ? READING : PAYING
  return isRead ? null : ACTIONS
}
