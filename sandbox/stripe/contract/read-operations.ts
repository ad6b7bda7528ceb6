import { readFileSync } from 'node:fs'
import ts from 'typescript-5'
import { codeOf, typesOf } from './sdk.ts'

/** One method of the SDK that is one request. */
export type SdkMethod = {
  name: string
  method: string
  path: string
  /** The parameter called `params`; null when the method has none. */
  params: ts.Type | null
  response: ts.Type
  isList: boolean
}

/** Every method of a resource: types from its declarations, method and path from its code. Version 2 of the API is left out. */
export function readMethods(program: ts.Program, resource: string): SdkMethod[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(typesOf(resource))
  if (!source) throw new Error(`The installed stripe package has no ${resource}`)
  const requests = readRequests(resource)
  const found: SdkMethod[] = []
  for (const declared of methodsOf(source)) {
    const request = requests.get(declared.name.getText(source))
    const answer = answerOf(declared, source)
    if (!answer || !request?.path.startsWith('/v1/')) continue
    const params = declared.parameters.find(({ name }) => name.getText(source) === 'params')
    found.push({
      name: `${camelCase(resource)}.${declared.name.getText(source)}`,
      ...request,
      params: params?.type ? checker.getTypeFromTypeNode(params.type) : null,
      response: checker.getTypeFromTypeNode(answer.node),
      isList: answer.isList,
    })
  }
  return found
}

function methodsOf(source: ts.SourceFile) {
  return source.statements
    .filter((statement) => ts.isClassDeclaration(statement))
    .flatMap(({ members }) => members.filter((member) => ts.isMethodDeclaration(member)))
}

/** `X` in `Promise<Response<X>>` or `ApiListPromise<X>`; null for searches and streams, which nothing here answers. */
function answerOf(
  declared: ts.MethodDeclaration,
  source: ts.SourceFile,
): { node: ts.TypeNode; isList: boolean } | null {
  const outer = typeReference(declared.type, source)
  if (outer?.name === 'ApiListPromise') return { node: outer.argument, isList: true }
  const inner = outer?.name === 'Promise' ? typeReference(outer.argument, source) : null
  return inner?.name === 'Response' ? { node: inner.argument, isList: false } : null
}

function typeReference(node: ts.TypeNode | undefined, source: ts.SourceFile) {
  const argument = node && ts.isTypeReferenceNode(node) ? node.typeArguments?.[0] : undefined
  if (!node || !ts.isTypeReferenceNode(node) || !argument) return null
  return { name: node.typeName.getText(source), argument }
}

/** By method: the arguments of its call of `_makeRequest('POST', '/v1/…')`. */
function readRequests(resource: string): Map<string, { method: string; path: string }> {
  const source = ts.createSourceFile(
    codeOf(resource),
    readFileSync(codeOf(resource), 'utf8'),
    ts.ScriptTarget.ES2022,
    true,
  )
  const requests = new Map<string, { method: string; path: string }>()
  for (const declared of methodsOf(source)) {
    const name = declared.name.getText(source)
    const visit = (node: ts.Node): void => {
      if (
        !requests.has(name) &&
        ts.isCallExpression(node) &&
        node.expression.getText(source) === 'this._makeRequest'
      ) {
        const [method, path] = node.arguments
        if (method && ts.isStringLiteral(method) && path)
          requests.set(name, { method: method.text, path: pathOf(path, source) })
      }
      ts.forEachChild(node, visit)
    }
    visit(declared)
  }
  return requests
}

function pathOf(node: ts.Expression, source: ts.SourceFile): string {
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node)) throw new Error(`${source.fileName}: a path that is no text`)
  return node.head.text + node.templateSpans.map(({ literal }) => `{id}${literal.text}`).join('')
}

/** `BillingPortal/Sessions` is `billingPortal.sessions` to who calls it. */
function camelCase(resource: string): string {
  return resource
    .split('/')
    .map((name) => name.charAt(0).toLowerCase() + name.slice(1))
    .join('.')
}
