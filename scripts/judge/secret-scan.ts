// Looks for secrets in the files as they are and in everything that was ever committed.
import { execFileSync, spawn } from 'node:child_process'
import { lstatSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../processes.ts'
import { secretsIn } from './secret-patterns.ts'

/** Where something was found: never what. */
export type Found = { place: string; name: string }

/** Larger files are generated. The largest that somebody wrote here is a tenth of this. */
const LARGEST_BYTES = 5_000_000

/** Files that are or could be committed, as they are now. */
export function scanTree(folder = root): { files: number; found: Found[] } {
  const files = git(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
    .split('\0')
    .filter((name) => name !== '' && lstatSync(path.join(folder, name), { throwIfNoEntry: false })?.isFile())
  const found = [...new Set(files)].flatMap((name) => {
    const bytes = readFileSync(path.join(folder, name))
    return inBytes(bytes).map((finding) => ({ place: `${name}:${finding.line}`, name: finding.name }))
  })
  return { files: files.length, found }
}

/** Every version of every file in every branch of this clone. */
export async function scanHistory(folder = root): Promise<{ files: number; found: Found[] }> {
  if (git(folder, ['rev-parse', '--is-shallow-repository']).trim() === 'true')
    throw new Error('This clone has only part of the history. Fetch the rest: git fetch --unshallow')
  const names = new Map<string, string>()
  for (const line of git(folder, ['rev-list', '--objects', '--all']).split('\n')) {
    const [id = '', ...name] = line.split(' ')
    if (name.length > 0) names.set(id, name.join(' '))
  }
  const found: Found[] = []
  let files = 0
  await eachBlob(folder, [...names.keys()], (id, bytes) => {
    files++
    for (const { name, line } of inBytes(bytes))
      found.push({ place: `${names.get(id)}:${line} (${id.slice(0, 10)})`, name })
  })
  return { files, found }
}

function inBytes(bytes: Buffer): ReturnType<typeof secretsIn> {
  // A zero byte early on: a picture, not a text.
  if (bytes.byteLength > LARGEST_BYTES || bytes.subarray(0, 8_000).includes(0)) return []
  return secretsIn(bytes.toString('utf8'))
}

/** One git process for all of them; what is no file is passed over. */
async function eachBlob(folder: string, ids: string[], visit: (id: string, bytes: Buffer) => void) {
  const child = spawn('git', ['cat-file', '--batch'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(`${ids.join('\n')}\n`)
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of child.stdout) {
    rest = Buffer.concat([rest, chunk as Buffer])
    for (;;) {
      const end = rest.indexOf(10)
      const [id = '', type, size] = rest.subarray(0, Math.max(0, end)).toString().split(' ')
      const start = end + 1
      if (end === -1 || rest.byteLength < start + Number(size) + 1) break
      if (type === 'blob') visit(id, rest.subarray(start, start + Number(size)))
      rest = rest.subarray(start + Number(size) + 1)
    }
  }
}

function git(folder: string, args: string[]): string {
  return execFileSync('git', args, { cwd: folder, encoding: 'utf8', maxBuffer: 256_000_000 })
}
