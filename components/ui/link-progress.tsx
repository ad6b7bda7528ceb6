'use client'

import { useLinkStatus } from 'next/link'

/** Inside a link: a line across the top of the window while its page is on the way, if that takes a moment. */
export function LinkProgress() {
  const { pending } = useLinkStatus()
  if (!pending) return null
  return <span aria-hidden="true" className="progress-line" />
}
