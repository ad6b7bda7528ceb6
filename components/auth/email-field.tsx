import { Field } from '@/components/ui/field'
import type { FormState } from '@/lib/form-state'

/** The address, kept as typed when the form comes back. */
export function EmailField({ state }: { state: FormState }) {
  return (
    <Field
      label="E-mail address"
      name="email"
      type="email"
      autoComplete="email"
      autoCapitalize="none"
      spellCheck={false}
      required
      defaultValue={state.values?.email}
      error={state.fieldErrors?.email}
    />
  )
}
