/** Deeper than anything we ask for, and shallow enough for every reader. */
const DEEPEST = 12

/**
 * JSON, and strictly: no deeper than we ask for, no name twice in one object, since readers differ in which they believe, and
 * no prototype.
 * @throws SyntaxError
 */
export function parseJsonText(text: string): unknown {
  const value: unknown = JSON.parse(text)
  refuseOddities(text)
  return value
}

/** @param text JSON that has been parsed: what is not a string or a bracket need not be looked at. */
function refuseOddities(text: string): void {
  const open: (Set<string> | null)[] = []
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : null)
    else if (token === '}' || token === ']') open.pop()
    else refuseSecond(open.at(-1), token, text, index + token.length)
    if (open.length > DEEPEST) throw new SyntaxError('JSON is nested too deeply')
  }
}

/** Only a name is followed by a colon. */
function refuseSecond(names: Set<string> | null | undefined, token: string, text: string, end: number): void {
  let next = end
  while (/\s/.test(text[next] ?? '')) next++
  if (!names || text[next] !== ':') return
  const name: unknown = JSON.parse(token)
  if (typeof name !== 'string' || names.has(name)) throw new SyntaxError('JSON names a field twice')
  if (name === '__proto__') throw new SyntaxError('JSON names a field that no object should have')
  names.add(name)
}
