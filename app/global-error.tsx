'use client'

import { Failure } from '@/components/site/failure'
import './globals.css'

/** Stands in for the whole document when even the layout failed. */
export default function GlobalError({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <html lang="en">
      <body>
        <title>Paywright</title>
        <main>
          <Failure error={error} retry={retry} />
        </main>
      </body>
    </html>
  )
}
