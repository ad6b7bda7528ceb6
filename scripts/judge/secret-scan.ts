// Looks for secrets in the files as they are and in everything that was ever committed.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../processes.ts'
import { secretsIn } from './secret-patterns.ts'

/** Where something was found: never what. */
export type Found = { place: string; name: string }

/** Larger files are generated. The largest that somebody wrote here is a tenth of this. */
const LARGEST_BYTES = 5_000_000

/** Files that are or could be committed, as they are now. */
export function scanTree(folder = root): { files: number; found: Found[] } {
  const files = filesOf(folder)
  const found = files.flatMap((name) =>
    inBytes(readFileSync(path.join(folder, name))).map((finding) => ({
      place: `${name}:${finding.line}`,
      name: finding.name,
    })),
  )
  return { files: files.length, found }
}

/** Without git (an unpacked archive) everything but what is made here. */
function filesOf(folder: string): string[] {
  const listed = existsSync(path.join(folder, '.git'))
    ? git(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']).split('\0')
    : readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !MADE_HERE.test(name))
  return [...new Set(listed)].filter(
    (name) => name !== '' && lstatSync(path.join(folder, name), { throwIfNoEntry: false })?.isFile(),
  )
}

const MADE_HERE =
  /(?:^|\/)(?:node_modules|\.next|\.sandbox|judge-report|test-results)(?:\/|$)|(?:^|\/)\.env(?!\.example$)/

/** Every version of every file in every branch of this clone. */
export async function scanHistory(folder = root): Promise<{ files: number; found: Found[] }> {
  const names = historyOf(folder)
  const found: Found[] = []
  let files = 0
  await eachBlob(folder, [...names.keys()], (id, bytes) => {
    files++
    for (const { name, line } of inBytes(bytes))
      found.push({ place: `${names.get(id)}:${line} (${id.slice(0, 10)})`, name })
  })
  return { files, found }
}

/** Write the files as they are and every version they ever had into a folder, for other tools. Answers how many. */
export async function exportHistory(target: string, folder = root): Promise<number> {
  const names = historyOf(folder)
  let files = 0
  const write = (mark: string, name: string, bytes: Buffer) => {
    if (!isText(bytes)) return
    files++
    writeFileSync(path.join(target, `${mark}-${path.basename(name)}`), bytes)
  }
  await eachBlob(folder, [...names.keys()], (id, bytes) => write(id.slice(0, 10), names.get(id) ?? '', bytes))
  for (const name of filesOf(folder)) write(`now${files}`, name, readFileSync(path.join(folder, name)))
  return files
}

/** The names under which each object was committed. */
function historyOf(folder: string): Map<string, string> {
  if (git(folder, ['rev-parse', '--is-shallow-repository']).trim() === 'true')
    throw new Error('This clone has only part of the history. Fetch the rest: git fetch --unshallow')
  const names = new Map<string, string>()
  for (const line of git(folder, ['rev-list', '--objects', '--all']).split('\n')) {
    const [id = '', ...name] = line.split(' ')
    if (name.length > 0) names.set(id, name.join(' '))
  }
  return names
}

function inBytes(bytes: Buffer): ReturnType<typeof secretsIn> {
  return isText(bytes) ? secretsIn(bytes.toString('utf8')) : []
}

/** A zero byte early on: a picture, not a text. */
function isText(bytes: Buffer): boolean {
  return bytes.byteLength <= LARGEST_BYTES && !bytes.subarray(0, 8_000).includes(0)
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
