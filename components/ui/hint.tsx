'use client'

import { Tooltip } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import { classNames } from './class-names'

type HintProps = { explanation: string; className?: string; children: ReactNode }

/** A word that explains itself on hover, on focus and on tap. Radix alone leaves out the tap. */
export function Hint({ explanation, className, children }: HintProps) {
  const [open, setOpen] = useState(false)
  return (
    <Tooltip.Provider delayDuration={200}>
      <Tooltip.Root open={open} onOpenChange={setOpen}>
        <Tooltip.Trigger
          type="button"
          onClick={(event) => {
            // Radix closes on a click; for a finger the click is the only way to ask.
            event.preventDefault()
            setOpen(true)
          }}
          className={classNames('cursor-help rounded-sm text-left', className)}
        >
          {children}
        </Tooltip.Trigger>
        <Tooltip.Portal>
          <Tooltip.Content
            sideOffset={6}
            collisionPadding={16}
            className="rise-in z-50 max-w-72 rounded bg-raised px-3 py-2 text-13 text-ink shadow-pop"
          >
            {explanation}
          </Tooltip.Content>
        </Tooltip.Portal>
      </Tooltip.Root>
    </Tooltip.Provider>
  )
}
