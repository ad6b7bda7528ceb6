import ts from 'typescript-5'
import { refTo, type Schema } from './schema.ts'
import { resourceOf } from './sdk.ts'

/** Turns types of the SDK into JSON Schema. A named type becomes one schema of `schemas`, however often it is used. */
export class TypesToSchema {
  readonly schemas: Record<string, Schema> = {}
  readonly #checker: ts.TypeChecker
  readonly #scope: ReadonlySet<string>
  readonly #names = new Map<ts.Symbol, string>()

  constructor(checker: ts.TypeChecker, scope: readonly string[]) {
    this.#checker = checker
    this.#scope = new Set(scope)
  }

  convert(type: ts.Type): Schema {
    const { flags } = type
    const name = (type.aliasSymbol ?? type.getSymbol())?.name
    // Exact decimals travel as text; the SDK makes objects of them.
    if (name === 'Decimal') return { type: 'string' }
    if (type.isUnion()) return this.#union(type.types)
    if (type.isStringLiteral()) return { type: 'string', enum: [type.value] }
    if (type.isNumberLiteral()) return { type: 'number', enum: [type.value] }
    if (flags & ts.TypeFlags.BooleanLiteral) {
      return { type: 'boolean', enum: [this.#checker.typeToString(type) === 'true'] }
    }
    if (flags & ts.TypeFlags.String || isOpenEnum(type)) return { type: 'string' }
    if (flags & ts.TypeFlags.Number) return { type: 'number' }
    if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' }
    if (flags & ts.TypeFlags.Null) return { type: 'null' }
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {}
    if (this.#checker.isArrayType(type)) return { type: 'array', items: this.#argument(type) }
    if (name === 'ApiList') return listOf(this.#argument(type))
    if (flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return this.#object(type)
    throw new Error(`No schema for the type ${this.#checker.typeToString(type)}`)
  }

  /** Whether the type is an object of the API that this contract knows whole. */
  isInScope(type: ts.Type): boolean {
    const resource = resourceOf(declarationOf(type)?.getSourceFile().fileName ?? '')
    return resource !== null && this.#scope.has(resource)
  }

  #argument(type: ts.Type): Schema {
    // Arrays and lists are references to a generic type, which is what has arguments.
    const [argument] = this.#checker.getTypeArguments(type as ts.TypeReference)
    if (!argument) throw new Error(`${this.#checker.typeToString(type)} has no argument`)
    return this.convert(argument)
  }

  #union(members: readonly ts.Type[]): Schema {
    const types = members.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined))
    const anyText = types.some(({ flags }) => flags & ts.TypeFlags.String)
    const literals = types.filter((type) => type.isStringLiteral()).map(({ value }) => value)
    const booleans = types.filter(({ flags }) => flags & ts.TypeFlags.BooleanLiteral)
    const alternatives: Schema[] = []
    if (anyText) alternatives.push({ type: 'string' })
    else if (literals.length > 0) alternatives.push({ type: 'string', enum: literals })
    else if (types.some(isOpenEnum)) alternatives.push({ type: 'string' })
    if (booleans.length === 2) alternatives.push({ type: 'boolean' })
    else alternatives.push(...booleans.map((type) => this.convert(type)))
    for (const type of types) {
      if (type.isStringLiteral() || type.flags & (ts.TypeFlags.String | ts.TypeFlags.BooleanLiteral)) continue
      if (isOpenEnum(type) || (anyText && this.#isForeignResource(type))) continue
      alternatives.push(this.convert(type))
    }
    return anyOf(alternatives)
  }

  #isForeignResource(type: ts.Type): boolean {
    const declaration = declarationOf(type)
    const topLevel = declaration !== undefined && ts.isSourceFile(declaration.parent)
    return topLevel && type.getProperty('object') !== undefined && !this.isInScope(type)
  }

  #object(type: ts.Type): Schema {
    const symbol = type.getSymbol()
    const declaration = symbol?.declarations?.[0]
    const named = declaration && ts.isInterfaceDeclaration(declaration) && resourceOrShared(declaration)
    if (!symbol || !named) return this.#fields(type)
    const known = this.#names.get(symbol)
    if (known) return refTo(known)
    const name = nameOf(declaration)
    if (name in this.schemas) throw new Error(`Two types of the SDK are called ${name}`)
    this.#names.set(symbol, name)
    // Taken before the fields are read: a type may hold itself.
    this.schemas[name] = {}
    this.schemas[name] = this.#fields(type)
    return refTo(name)
  }

  #fields(type: ts.Type): Schema {
    const properties: Record<string, Schema> = {}
    const required: string[] = []
    for (const property of this.#checker.getPropertiesOfType(type)) {
      const propertyType = this.#checker.getTypeOfSymbol(property)
      // `deleted?: void` says that the field is not there; see DeletedCustomer and its like for where it is.
      if (isVoid(propertyType)) continue
      properties[property.name] = this.convert(propertyType)
      if (!(property.flags & ts.SymbolFlags.Optional)) required.push(property.name)
    }
    const [index] = this.#checker.getIndexInfosOfType(type)
    const open = Object.keys(properties).length === 0
    return {
      type: 'object',
      ...(open ? {} : { properties }),
      ...(required.length > 0 ? { required } : {}),
      ...(index
        ? { additionalProperties: this.convert(index.type) }
        : open
          ? {}
          : { additionalProperties: false }),
    }
  }
}

/**
 * `string & Record<never, never>` beside the values known today: Stripe may add some at any time. A stand-in has no reason to send others
 * than the known, so the set is closed here; otherwise a misspelt status would pass.
 */
function isOpenEnum(type: ts.Type): boolean {
  return type.isIntersection() && type.types.some(({ flags }) => flags & ts.TypeFlags.String)
}

function isVoid(type: ts.Type): boolean {
  const types = type.isUnion() ? type.types : [type]
  return types.every(({ flags }) => flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined))
}

function declarationOf(type: ts.Type): ts.Declaration | undefined {
  return (type.aliasSymbol ?? type.getSymbol())?.declarations?.[0]
}

function resourceOrShared(declaration: ts.Declaration): boolean {
  const { fileName } = declaration.getSourceFile()
  return resourceOf(fileName) !== null || /\/esm\/shared\.d\.ts$/.test(fileName)
}

/** `Checkout.Session.LineItem`: folders and namespaces in front, as the SDK writes it. */
function nameOf(declaration: ts.InterfaceDeclaration): string {
  const names: string[] = []
  for (let node: ts.Node = declaration; !ts.isSourceFile(node); node = node.parent) {
    if (ts.isInterfaceDeclaration(node) || ts.isModuleDeclaration(node)) names.unshift(node.name.text)
  }
  const folders = (resourceOf(declaration.getSourceFile().fileName) ?? '').split('/').slice(0, -1)
  return [...folders, ...names].join('.')
}

export function listOf(items: Schema): Schema {
  return {
    type: 'object',
    properties: {
      object: { type: 'string', enum: ['list'] },
      data: { type: 'array', items },
      has_more: { type: 'boolean' },
      url: { type: 'string' },
    },
    required: ['object', 'data', 'has_more', 'url'],
    additionalProperties: false,
  }
}

function anyOf(alternatives: Schema[]): Schema {
  const different = [...new Map(alternatives.map((schema) => [JSON.stringify(schema), schema])).values()]
  const [only] = different
  return different.length === 1 && only ? only : { anyOf: different }
}
