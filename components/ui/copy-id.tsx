'use client'

import { useEffect, useState } from 'react'
import { CheckIcon, CopyIcon } from './icons'
import { shortenMiddle } from './shorten-middle'

type CopyIdProps = { value: string; label: string }

/** An id, shortened in the middle, with a button that copies all of it. */
export function CopyId({ value, label }: CopyIdProps) {
  const [copied, setCopied] = useState(false)

  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [copied])

  async function copy() {
    try {
      await navigator.clipboard.writeText(value)
      setCopied(true)
    } catch {
      // No permission: the whole id is in the title, and can be selected from there by hand.
      setCopied(false)
    }
  }

  return (
    <span className="inline-flex items-center">
      <code className="font-mono text-13" title={value}>
        {shortenMiddle(value)}
      </code>
      <button
        type="button"
        onClick={copy}
        aria-label={`Copy ${label}`}
        className="-my-3 -mr-3 -ml-2 inline-flex size-11 items-center justify-center rounded text-ink-soft hover:text-ink"
      >
        {copied ? <CheckIcon className="text-good" /> : <CopyIcon />}
      </button>
      <span role="status" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </span>
  )
}
