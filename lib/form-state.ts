/** What a form knows after it was sent. `values` are put back into its fields, passwords never. */
export type FormState = {
  status: 'idle' | 'error' | 'done'
  message?: string
  requestId?: string
  /** Sending it again cannot help. */
  isOver?: boolean
  fieldErrors?: Record<string, string>
  values?: Record<string, string>
}

export const idleForm: FormState = { status: 'idle' }
