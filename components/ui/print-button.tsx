'use client'

import type { ReactNode } from 'react'
import { Button } from './button'

/** The browser's own way to paper, and to a PDF. */
export function PrintButton({ children }: { children: ReactNode }) {
  return <Button onClick={() => window.print()}>{children}</Button>
}
