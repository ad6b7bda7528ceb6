// Runs one command that must not outlive the process that asked for it, not even when that process is killed with -9:
// the IPC channel to it closes in every case. Started by spawnLeashed() as the leader of a process group of its own.
//
//   node scripts/leashed.ts <command> [arguments]
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** How long the command may take over its own goodbye before the whole group is killed. */
const GRACE_MS = 4_000

const [command, ...args] = process.argv.slice(2)
if (command === undefined) throw new Error('leashed.ts needs a command')

const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
let stopping = false

child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  if (stopping) return endGroup()
  process.exit(code ?? 128 + (signal === null ? 1 : constants.signals[signal]))
})

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.on('SIGHUP', stop)
process.on('disconnect', stop)

function stop(): void {
  if (stopping) return
  stopping = true
  process.kill(-process.pid, 'SIGTERM')
  setTimeout(endGroup, GRACE_MS)
}

/** Ends whatever the command left behind, and this process with it. */
function endGroup(): void {
  process.kill(-process.pid, 'SIGKILL')
}
