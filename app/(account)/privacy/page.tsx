import type { Metadata } from 'next'
import { DeleteAccount } from '@/components/privacy/delete-account'
import { DownloadData } from '@/components/privacy/download-data'
import { WhatWeKeep } from '@/components/privacy/what-we-keep'
import { PageHeader } from '@/components/ui/page-header'
import { Panel } from '@/components/ui/panel'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { listBlockers } from '@/lib/privacy/list-blockers'

export const metadata: Metadata = { title: 'Privacy' }

export default async function PrivacyPage() {
  const user = await requireUserOrSignIn('/privacy')
  const blockers = await listBlockers({ user })

  return (
    <div className="column">
      <PageHeader title="Privacy">What we keep about you, how to take it along, and how to leave.</PageHeader>
      <Panel aria-labelledby="download" className="px-4 py-5 sm:px-6">
        <h2 id="download" className="text-20">
          Download my data
        </h2>
        <p className="mt-2 mb-4 max-w-[65ch] text-16 text-ink-soft">
          One file with everything we keep about you: your account, orders, payments and refunds, and what you
          did here. Other programs can read it (JSON). Up to three times a day.
        </p>
        <DownloadData />
      </Panel>
      <h2 id="kept" className="mt-10 mb-4 text-20">
        What we keep
      </h2>
      <Panel aria-labelledby="kept" className="px-4 py-1 sm:px-6">
        <WhatWeKeep />
      </Panel>
      <h2 id="leaving" className="mt-10 mb-4 text-20">
        Delete my account
      </h2>
      <Panel aria-labelledby="leaving" className="px-4 py-5 sm:px-6">
        <DeleteAccount blockers={blockers} />
      </Panel>
    </div>
  )
}
