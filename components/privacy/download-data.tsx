'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button'
import { Notice } from '@/components/ui/notice'
import { ask, goAndConfirm, type Refusal } from './ask'

const FILE = 'my-data.json'

/** Fetches the file first, so that a refusal is words on this page and not a file of its own. */
export function DownloadData() {
  const [state, setState] = useState<'idle' | 'busy' | 'done'>('idle')
  const [refusal, setRefusal] = useState<Exclude<Refusal, 'confirm-password'> | null>(null)

  async function download() {
    setState('busy')
    setRefusal(null)
    const answer = await ask('/api/privacy/exports')
    if (answer === 'confirm-password') return goAndConfirm()
    if (!(answer instanceof Response)) {
      setRefusal(answer)
      setState('idle')
      return
    }
    try {
      save(await answer.blob())
      setState('done')
    } catch {
      setRefusal({ message: 'The file did not arrive as a whole. Please try again.' })
      setState('idle')
    }
  }

  return (
    <>
      {refusal && (
        <Notice tone="bad" urgent requestId={refusal.requestId} className="mb-4">
          {refusal.message}
        </Notice>
      )}
      <Button busy={state === 'busy'} onClick={download}>
        Download my data
      </Button>
      <p role="status" className="mt-2 text-14 text-ink-soft empty:hidden">
        {state === 'done' && `The file ${FILE} is in your downloads.`}
      </p>
    </>
  )
}

function save(file: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = FILE
  link.click()
  URL.revokeObjectURL(link.href)
}
