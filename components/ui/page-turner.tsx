import Link from 'next/link'
import { ArrowLeftIcon, ArrowRightIcon } from './icons'
import { LinkProgress } from './link-progress'

type PageTurnerProps = {
  label: string
  /** Addresses of the neighbouring pages; null where the list ends. */
  newer: string | null
  older: string | null
}

const LINK =
  'inline-flex min-h-11 items-center gap-2 rounded px-3 text-14 font-medium text-ink-soft hover:bg-sunken hover:text-ink'

/** Back and forth through a long list. Nothing to turn, nothing to see. */
export function PageTurner({ label, newer, older }: PageTurnerProps) {
  if (!newer && !older) return null
  return (
    <nav aria-label={label} className="mt-3 flex justify-between">
      {newer ? (
        <Link href={newer} rel="prev" className={`${LINK} -ml-3`}>
          <ArrowLeftIcon /> Newer <LinkProgress />
        </Link>
      ) : (
        <span />
      )}
      {older && (
        <Link href={older} rel="next" className={`${LINK} -mr-3`}>
          Older <ArrowRightIcon /> <LinkProgress />
        </Link>
      )}
    </nav>
  )
}
