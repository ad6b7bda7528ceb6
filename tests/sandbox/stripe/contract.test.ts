import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePorts, startSandbox } from '../../../sandbox/start.ts'
import { API_VERSION } from '../../../sandbox/stripe/config.ts'
import { ContractChecker } from '../../../sandbox/stripe/contract/checker.ts'
import { loadContract } from '../../../sandbox/stripe/contract/load.ts'
import {
  type ParameterNames,
  parameterFile,
  parameterNames,
} from '../../../sandbox/stripe/contract/parameter-names.ts'
import { operationKey } from '../../../sandbox/stripe/contract/schema.ts'
import { StripeError } from '../../../sandbox/stripe/http/errors.ts'
import type { FormValue } from '../../../sandbox/stripe/http/form.ts'
import {
  explainUnknownParameter,
  KNOWN_PARAMETERS_FILE,
} from '../../../sandbox/stripe/http/known-parameters.ts'
import type { Operation } from '../../../sandbox/stripe/http/operation.ts'
import { type Params, readParams } from '../../../sandbox/stripe/http/params.ts'
import { OPERATIONS } from '../../../sandbox/stripe/server.ts'
import { assertContractKept } from '../../support/contract-report.ts'
import { assertContractKeptSoFar, stripeContract } from '../../support/stripe-contract.ts'
import { errorOf, stripeClient } from './support/local-stripe.ts'
import { observed } from './support/observed.ts'

const contract = await loadContract()

describe('the contract, read from the types of the installed stripe package', () => {
  it('is of the API version this stand-in speaks, and says that it is not Stripe’s own specification', () => {
    expect(contract.apiVersion).toBe(API_VERSION)
    expect(contract.derivedFrom).toMatch(/stripe-node .* not Stripe's own specification/)
  })

  it('covers the API around payments', () => {
    expect(Object.keys(contract.operations).length).toBeGreaterThan(105)
    expect(Object.keys(contract.events).length).toBeGreaterThan(95)
  })

  it('has every operation that this stand-in answers', () => {
    const unknown = OPERATIONS.map(({ method, path }) => operationKey(method, path)).filter(
      (key) => !contract.operations[key],
    )

    expect(unknown).toEqual([])
  })
})

describe('parameters', () => {
  /**
   * What Stripe.js sends with a publishable key. The SDK is for servers and has none of it, so of these the contract knows nothing.
   */
  const FROM_STRIPE_JS = ['client_secret', 'payment_method_data[card]']

  it.each(OPERATIONS.map((operation) => [keyOf(operation), operation] as const))(
    '%s takes no parameter that the SDK does not have',
    (_key, operation) => {
      const known = sdkParameters(operation)

      const invented = pathsOf(declared(operation.params)).filter((path) => !has(known, path))

      const unexplained = invented
        .map(written)
        .filter((path) => !FROM_STRIPE_JS.some((name) => path.startsWith(name)))
      expect(unexplained).toEqual([])
    },
  )

  it.each(OPERATIONS.map((operation) => [keyOf(operation), operation] as const))(
    'stripe.R6 %s takes or refuses by name every parameter of the SDK, and calls none of them unknown',
    (_key, operation) => {
      const unknown = pathsOf(sdkParameters(operation)).filter((path) => path[0] !== 'expand')

      const outcomes = unknown.map((path) => ({ path: written(path), outcome: tried(operation, path) }))

      expect(outcomes.filter(({ outcome }) => outcome === 'parameter_unknown')).toEqual([])
    },
  )

  it('stripe.R6 a parameter that Stripe does not know either is unknown, however deep', () => {
    const create = OPERATIONS.find(({ method, path }) => method === 'POST' && path === '/v1/payment_intents')
    if (!create) throw new Error('no such operation')

    expect(tried(create, ['payment_method_types'])).toBe('parameter_unknown')
    expect(tried(create, ['payment_method_options', 'card', 'no_such_thing'])).toBe('parameter_unknown')
    expect(tried(create, ['payment_method_options', 'klarna', 'capture_method'])).toBe('not supported')
  })

  it('the list of known parameters is up to date; if not: node scripts/stripe-parameters.ts', () => {
    expect(readFileSync(KNOWN_PARAMETERS_FILE, 'utf8')).toBe(parameterFile(contract))
  })

  function sdkParameters(operation: Operation): ParameterNames {
    return parameterNames(contract, contract.operations[keyOf(operation)]?.params ?? null)
  }

  /** What becomes of a request with this parameter: its own error, `not supported`, or it is read. */
  function tried(operation: Operation, path: string[]): string {
    const [top = '', ...rest] = path
    const value = [...rest]
      .reverse()
      .reduce<FormValue>((inner, name) => ({ [name === '*' ? 'x' : name]: inner }), 'x')
    const param = operation.params[top]
    for (const form of [value, { 0: value }]) {
      try {
        readParams(param ? { [top]: param } : {}, { [top]: form })
        return 'read'
      } catch (thrown) {
        const error = explainUnknownParameter(thrown, operation)
        if (!(error instanceof StripeError)) throw error
        if (/not supported/.test(error.message)) return 'not supported'
        // A list of such: its items have numbers.
        if (error.message === 'Invalid array') continue
        return error.body.code ?? 'its value is wrong'
      }
    }
    return 'its value is wrong'
  }
})

describe('a serializer with one wrong field', () => {
  const checker = new ContractChecker(contract)

  it('is found in every kind of object: a field of another kind, one too many, one that is missing', async () => {
    const answers = await observed()

    const kinds = new Set<string>()
    const unseen: string[] = []
    const unmissed: string[] = []
    let fields = 0
    for (const { body, check } of answers) {
      expect(check(checker, body)).toEqual([])
      const seen = (changed: Record<string, unknown>) => check(checker, changed).length > 0
      kinds.add(String(body.object))
      if (!seen({ ...body, no_such_field: 1 })) unseen.push(`${body.object}: one too many`)
      for (const [name, value] of Object.entries(body)) {
        fields += 1
        for (const wrong of ofOtherKinds(value)) {
          if (!seen({ ...body, [name]: wrong })) unseen.push(`${body.object}.${name}: ${typeof wrong}`)
        }
        const { [name]: _, ...without } = body
        if (!seen(without)) unmissed.push(`${body.object}.${name}`)
      }
    }

    expect([...kinds].sort()).toEqual(expect.arrayContaining(EXPECTED_KINDS))
    expect(unseen).toEqual([])
    // The SDK calls these optional (a customer's phone), so nobody can tell that one is missing.
    expect(unmissed.length).toBeLessThan(fields * 0.15)
  })

  it('is found deep inside, and for a value that a closed set does not have', async () => {
    const answers = await observed()
    const intent = answers.find(({ body }) => body.object === 'payment_intent')
    const charge = answers.find(({ body }) => body.object === 'charge')
    if (!intent || !charge) throw new Error('nothing was observed')

    expect(intent.check(checker, { ...intent.body, status: 'succeded' })).toEqual([
      expect.stringContaining('/status is succeded and is not one of'),
    ])
    expect(
      charge.check(checker, {
        ...charge.body,
        billing_details: { address: null, email: null, name: 7, phone: null, tax_id: null },
      }),
    ).toEqual(expect.arrayContaining([expect.stringContaining('/billing_details/name')]))
  })

  it('is found in one event among others of a list', async () => {
    const event = (await observed()).find(({ body }) => body.object === 'event')?.body
    const problemsWith = (...data: unknown[]) =>
      checker.problemsOfResponse({
        method: 'GET',
        path: '/v1/events',
        status: 200,
        body: JSON.stringify({ object: 'list', url: '/v1/events', has_more: false, data }),
        key: 'secret',
      })

    expect(problemsWith(event, event)).toEqual([])
    expect(problemsWith(event, { ...event, no_such_field: 1 })).toEqual([
      expect.stringContaining('no_such_field'),
    ])
    expect(problemsWith(event, { ...event, type: 'charge.unheard_of' })).toHaveLength(1)
    expect(problemsWith(event, 7)).toHaveLength(1)
  })

  it('makes the test file red that it is seen in, and no later one', async () => {
    const shared = await stripeContract()

    shared.response({
      method: 'GET',
      path: '/v1/customers/:id',
      status: 200,
      body: '{"object":"customer"}',
      key: 'secret',
    })

    await expect(assertContractKeptSoFar()).rejects.toThrow(/GET \/v1\/customers\/:id\n.*lacks/)
    await expect(assertContractKeptSoFar()).resolves.toMatchObject({ violations: [] })
  })

  it('is not found when the wrong value is of the right kind: these need tests of their own', async () => {
    const answers = await observed()
    const intent = answers.find(({ body }) => body.object === 'payment_intent')
    if (!intent) throw new Error('nothing was observed')

    const wrongs = {
      id: 'cus_of_another_kind',
      amount: -1,
      created: 0.5,
      currency: 'nonsense',
      livemode: true,
    }
    for (const [name, wrong] of Object.entries(wrongs)) {
      expect(intent.check(checker, { ...intent.body, [name]: wrong }), name).toEqual([])
    }
  })
})

describe('a local Stripe in a process of its own', () => {
  it('checks itself when told to, and tells what it found', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'paywright-contract-'))
    const sandbox = await startSandbox({
      stateDir,
      ports: await freePorts(),
      appOrigin: 'http://localhost:3000',
      only: ['stripe'],
      tuning: { stripeContract: true },
    })
    try {
      const url = sandbox.env.STRIPE_API_BASE ?? ''
      const stripe = stripeClient(url, {}, sandbox.env.STRIPE_SECRET_KEY)
      await stripe.customers.create({ name: 'Ada' })
      await errorOf(stripe.customers.retrieve('cus_none'))

      const { checked, violations } = await assertContractKept(url, sandbox.localSecret)

      expect(violations).toEqual([])
      expect(checked).toEqual({ responses: 1, errors: 1, events: 1 })
    } finally {
      await sandbox.stop()
      rmSync(stateDir, { recursive: true, force: true })
    }
  })
})

const EXPECTED_KINDS = [
  'balance_transaction',
  'charge',
  'customer',
  'dispute',
  'event',
  'list',
  'payment_intent',
  'payment_method',
  'radar.early_fraud_warning',
  'refund',
  'webhook_endpoint',
]

function ofOtherKinds(value: unknown): unknown[] {
  if (typeof value === 'string') return [7, true, { id: value }]
  if (typeof value === 'number') return [String(value), true, [value]]
  if (typeof value === 'boolean') return [String(value), 1]
  return Array.isArray(value) ? ['text', {}] : [[{ wrong: true }], true]
}

function keyOf({ method, path }: Operation): string {
  return operationKey(method, path)
}

function declared(params: Params): ParameterNames {
  const names = Object.entries(params).map(
    ([name, { inside }]) => [name, inside ? declared(inside) : {}] as const,
  )
  return Object.fromEntries(names)
}

function pathsOf(names: ParameterNames, above: string[] = []): string[][] {
  return Object.entries(names).flatMap(([name, inside]) => [
    [...above, name],
    ...pathsOf(inside, [...above, name]),
  ])
}

function has(names: ParameterNames, path: string[]): boolean {
  let at: ParameterNames | undefined = names
  for (const name of path) at = at?.[name] ?? at?.['*']
  return at !== undefined
}

function written([first = '', ...rest]: string[]): string {
  return first + rest.map((name) => `[${name}]`).join('')
}
