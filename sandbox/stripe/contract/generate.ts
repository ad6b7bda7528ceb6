import ts from 'typescript-5'
import { readMethods } from './read-operations.ts'
import { type Contract, operationKey, refTo, type Schema } from './schema.ts'
import { SCOPE, sdkVersions, typesOf } from './sdk.ts'
import { listOf, TypesToSchema } from './types-to-schema.ts'

/** Read the contract out of the installed SDK. Takes a second or two; loadContract() keeps the result. */
export function generateContract(): Contract {
  const program = ts.createProgram(SCOPE.map(typesOf), {
    strict: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: true,
    types: [],
  })
  const converter = new TypesToSchema(program.getTypeChecker(), SCOPE)
  const { apiVersion, sdk, openApi } = sdkVersions()
  return {
    apiVersion,
    derivedFrom: `the types of stripe-node ${sdk} (OPENAPI_VERSION ${openApi}), not Stripe's own specification`,
    operations: readOperations(program, converter),
    events: readEvents(program, converter),
    error: readError(program, converter),
    schemas: converter.schemas,
  }
}

function readOperations(program: ts.Program, converter: TypesToSchema): Contract['operations'] {
  const operations: Contract['operations'] = {}
  for (const resource of SCOPE) {
    for (const { name, method, path, params, response, isList } of readMethods(program, resource)) {
      const answer = converter.convert(response)
      operations[operationKey(method, path)] = {
        name,
        params: params && converter.convert(params),
        response: isList ? listOf(answer) : answer,
      }
    }
  }
  return operations
}

/** Each member of the union `Event` whose object is one of ours. */
function readEvents(program: ts.Program, converter: TypesToSchema): Record<string, Schema> {
  const checker = program.getTypeChecker()
  const union = exportedType(program, 'Events', 'Event')
  const events: Record<string, Schema> = {}
  for (const event of union.isUnion() ? union.types : []) {
    const property = (type: ts.Type, name: string) => {
      const symbol = type.getProperty(name)
      if (!symbol) throw new Error(`An event of the SDK has no ${name}`)
      return checker.getTypeOfSymbol(symbol)
    }
    const type = property(event, 'type')
    const object = property(property(event, 'data'), 'object')
    const objects = object.isUnion() ? object.types : [object]
    if (!type.isStringLiteral() || !objects.every((one) => converter.isInScope(one))) continue
    events[type.value] = converter.convert(event)
  }
  return events
}

/** The SDK has no type for the body of an error as it travels; a PaymentIntent's last error has all of its fields. */
function readError(program: ts.Program, converter: TypesToSchema): Schema {
  const intent = exportedType(program, 'PaymentIntents', 'PaymentIntent')
  converter.convert(intent)
  return {
    type: 'object',
    properties: { error: refTo('PaymentIntent.LastPaymentError') },
    required: ['error'],
    additionalProperties: false,
  }
}

function exportedType(program: ts.Program, resource: string, name: string): ts.Type {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(typesOf(resource))
  const module = source && checker.getSymbolAtLocation(source)
  const symbol = module && checker.getExportsOfModule(module).find((exported) => exported.name === name)
  if (!symbol) throw new Error(`The installed stripe package has no type ${name}`)
  return checker.getDeclaredTypeOfSymbol(symbol)
}
