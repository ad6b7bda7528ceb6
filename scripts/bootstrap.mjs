// Every npm script starts here. Plain JavaScript with no imports from node_modules, because it is what puts node_modules in
// place: it must run on Node 20 in a fresh clone. It installs what package-lock.json names, then runs one TypeScript
// file from scripts/ on the Node version that the lockfile pins.
//
//   node scripts/bootstrap.mjs scripts/dev.ts [arguments for the script]
//
// package.json says `exec node …` so that no shell stands between npm and this process: npm's signals then arrive here,
// and npm waits for a clean end.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE_FOR_BOOTSTRAP = 20
const OLDEST_NODE_FOR_SCRIPTS = 24

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const modules = path.join(root, 'node_modules')
const stampFile = path.join(modules, '.paywright-install')

const [script, ...args] = process.argv.slice(2)
if (script === undefined) fail('Usage: node scripts/bootstrap.mjs scripts/<name>.ts [arguments]')
if (majorOf(process.versions.node) < OLDEST_NODE_FOR_BOOTSTRAP) {
  fail(
    `Paywright needs Node ${OLDEST_NODE_FOR_BOOTSTRAP} or newer to start; this is Node ${process.versions.node}.`,
  )
}

if (!isInstalled()) await install()
runScript(pinnedNode(), script, args)

/** A stamp is written only after a complete install, so an interrupted one is done again. */
function isInstalled() {
  const stamp = lockfileStamp()
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return true
  if (!matchesLockfile()) return false
  writeFileSync(stampFile, stamp)
  return true
}

function lockfileStamp() {
  const hash = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex')
  return `${process.platform}-${process.arch} ${hash}\n`
}

/** Whether somebody ran `npm ci` by hand: npm writes its own record of node_modules as the last step of an install. */
function matchesLockfile() {
  const recordFile = path.join(modules, '.package-lock.json')
  if (!existsSync(recordFile)) return false
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(recordFile, 'utf8')).packages
  const production = process.env.NODE_ENV === 'production'
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true
    const found = present[name]
    if (found === undefined) return entry.optional || entry.devOptional || (production && entry.dev)
    return found.version === entry.version && found.integrity === entry.integrity
  })
}

async function install() {
  console.log('Installing dependencies (about half a minute the first time).')
  const startedAt = Date.now()
  const seconds = () => Math.round((Date.now() - startedAt) / 1000)
  const heartbeat = setInterval(() => console.log(`  still installing (${seconds()} s)`), 10_000)

  // Development packages are wanted even where NODE_ENV=production is set: they hold the compiler and the sandbox. npm
  // warns about packages that want a newer Node than its own; scripts run on the pinned one, so only errors are news.
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const status = await new Promise((resolve) => {
    const [command, first] = npmCommand()
    const npm = spawn(command, [...first, ...flags], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.once(signal, () => {
        // npm would take its time to undo half an install, which is done again from the start anyway.
        npm.kill('SIGKILL')
        resolve(signal)
      })
    }
    npm.on('error', (error) => resolve(error.message))
    npm.on('exit', (code, signal) => resolve(code ?? signal))
  })
  clearInterval(heartbeat)

  const interrupted = constants.signals[status]
  if (interrupted !== undefined) process.exit(128 + interrupted)
  if (status !== 0) {
    fail(
      `\nnpm ci did not finish (${status}). Its message is above. Check that the package registry can be reached and that\n` +
        `${root} can be written to, then run the same command again: it starts the install afresh.`,
    )
  }
  writeFileSync(stampFile, lockfileStamp())
  console.log(`Installed in ${seconds()} s.\n`)
}

/** The npm that started us, so that one machine with two npm versions uses the one the person chose. */
function npmCommand() {
  const started = process.env.npm_execpath
  if (started !== undefined && /npm-cli\.c?js$/.test(started)) return [process.execPath, [started]]
  return ['npm', []]
}

/** The pinned Node binary; falls back to the current Node where the platform has no package (musl, for example). */
function pinnedNode() {
  const candidates = [
    path.join(modules, '.bin', 'node'),
    path.join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node'),
    path.join(modules, `node-bin-${process.platform}-${process.arch}`, 'bin', 'node'),
  ]
  const works = (file) => existsSync(file) && spawnSync(file, ['--version']).status === 0
  const found = candidates.find(works)
  if (found !== undefined) return found
  if (majorOf(process.versions.node) >= OLDEST_NODE_FOR_SCRIPTS) return process.execPath
  return fail(
    `There is no pinned Node for ${process.platform}-${process.arch}, and this is Node ${process.versions.node}.\n` +
      `Install Node ${OLDEST_NODE_FOR_SCRIPTS} or newer and run the same command again.`,
  )
}

/**
 * Runs the script in a process group of its own, so that Ctrl-C reaches it once: a terminal signals npm, the shell and us at
 * the same moment, and npm passes the signal on a second time. The IPC channel tells the script when we are gone.
 */
function runScript(node, file, scriptArgs) {
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--conditions=react-server',
    '--import',
    './scripts/resolve-lib.mjs',
  ]
  const child = spawn(node, [...flags, file, ...scriptArgs], {
    cwd: root,
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${path.join(modules, '.bin')}${path.delimiter}${process.env.PATH ?? ''}` },
  })

  let lastForwardedAt = 0
  const forward = (signal) => {
    if (Date.now() - lastForwardedAt < 500) return
    lastForwardedAt = Date.now()
    child.kill(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(signal))
  stopWhenNpmIsGone(forward)

  child.on('error', (error) => fail(`Could not start ${node}: ${error.message}`))
  child.on('exit', (code, signal) => {
    sweepGroup(child.pid)
    process.exit(code ?? 128 + (constants.signals[signal] ?? 1))
  })
}

/** npm killed without a chance to pass a signal on leaves us with another parent. */
function stopWhenNpmIsGone(forward) {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    forward('SIGTERM')
  }, 500)
  timer.unref()
}

/** Nothing the script started may outlive it. */
function sweepGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The usual case: the group is empty.
  }
}

function majorOf(version) {
  return Number.parseInt(version, 10)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
