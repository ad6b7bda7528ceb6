import type Stripe from 'stripe'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { scheduleJob } from '../core/jobs.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { boolean, type ReadParams, unsupported, word } from '../http/params.ts'
import { closeDispute, isInquiry, isOpen, verdictOf } from './dispute.ts'
import { evidenceParam } from './evidence.ts'

type Dispute = Stripe.Dispute

const updateParams = {
  evidence: evidenceParam,
  metadata: metadata(),
  submit: boolean(),
  ...unsupported('intended_submission_method'),
}

export const disputeOperations = [
  operation({
    method: 'GET',
    path: '/v1/disputes/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getDispute(store, id),
  }),
  operation({
    method: 'POST',
    path: '/v1/disputes/:id',
    params: updateParams,
    handle: (call, params, { id }) => update(call, getDispute(call.store, id), params),
  }),
  operation({
    method: 'POST',
    path: '/v1/disputes/:id/close',
    params: {},
    handle(call, _params, { id }) {
      const dispute = getDispute(call.store, id)
      assertOpen(dispute, 'closed')
      return closeDispute(call, dispute, 'lost')
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/disputes',
    params: { ...listParams, charge: word(), payment_intent: word() },
    handle({ store }, { charge, payment_intent, ...page }) {
      const conditions = Object.entries({ charge, payment_intent }).flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      return listObjects(store, 'dispute', '/v1/disputes', page, conditions)
    },
  }),
]

export function getDispute(store: Store, id: string): Dispute {
  const found = store.find('dispute', id)
  if (!found) throw noSuch('dispute', id, 'dispute', 404)
  return found.object
}

/** Evidence goes to the bank unless `submit` is false; once there it is final. */
function update(call: Call, dispute: Dispute, params: ReadParams<typeof updateParams>): Dispute {
  const submits = params.submit ?? params.evidence !== undefined
  if (params.evidence || submits) assertOpen(dispute, 'updated with evidence')
  const after: Dispute = {
    ...dispute,
    evidence: withGiven(dispute.evidence, params.evidence ?? {}),
    evidence_details: {
      ...dispute.evidence_details,
      has_evidence: dispute.evidence_details.has_evidence || params.evidence !== undefined,
    },
    metadata: mergeMetadata(dispute.metadata, params.metadata),
    ...(submits ? submitted(dispute) : {}),
  }
  const changed = previousAttributes(dispute, after)
  if (!changed) return dispute
  call.store.save('dispute', after)
  recordEvent(call, 'charge.dispute.updated', after, changed)
  if (submits && verdictOf(after)) {
    scheduleJob(call.store, 'judge_dispute', dispute.id, call.store.config.aftermathDelayMs)
  }
  return after
}

function submitted(dispute: Dispute): Partial<Dispute> {
  const { evidence_details: details } = dispute
  return {
    evidence_details: {
      ...details,
      has_evidence: true,
      submission_count: details.submission_count + 1,
      submission_method: 'manual',
    },
    status: isInquiry(dispute) ? 'warning_under_review' : 'under_review',
  }
}

function assertOpen(dispute: Dispute, what: string): void {
  if (isOpen(dispute)) return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message: `This dispute cannot be ${what} because it has a status of ${dispute.status}.`,
  })
}
