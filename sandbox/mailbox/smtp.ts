import type { Socket } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import type { Faults } from '../faults.ts'
import type { Listening } from '../listen.ts'
import type { MailStore } from './store.ts'

/**
 * Beside `reset` and `hang`: `busy` asks to come back later, `refuse` knows nobody here, `lost` takes the mail and is gone
 * before it has said so.
 */
export const SMTP_FAULTS = ['busy', 'refuse', 'lost'] as const

type Options = { port: number; secret: string; store: MailStore; faults: Faults }

/** Takes mail the way any provider does, in the clear: it listens on this machine only. The password is the local secret. */
export function listenForMail({ port, secret, store, faults }: Options): Promise<Listening> {
  const sockets = new Set<Socket>()
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    logger: false,
    size: 1024 * 1024,
    onAuth: ({ password }, _session, done) =>
      password === secret ? done(null, { user: 'local' }) : done(answer(535, 'Wrong password')),
    onMailFrom: (_address, _session, done) =>
      done(faults.mode === 'busy' ? answer(451, 'Come back later') : null),
    onRcptTo: (_address, _session, done) =>
      done(faults.mode === 'refuse' ? answer(550, 'Nobody of that name') : null),
    onData: (stream, session, done) => {
      keep(store, stream, session).then(
        () => (faults.mode === 'lost' ? sockets.forEach((socket) => void socket.destroy()) : done(null)),
        () => done(answer(554, 'This is no mail')),
      )
    },
    onConnect: (_session, done) => {
      if (faults.mode === 'reset') sockets.forEach((socket) => void socket.destroy())
      else if (faults.mode !== 'hang') done(null)
    },
  })
  // A client that is cut off is no reason to end.
  smtp.on('error', () => {})
  smtp.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return new Promise((resolve, reject) => {
    smtp.server.once('error', reject)
    smtp.listen(port, '127.0.0.1', () => {
      const address = smtp.server.address()
      resolve({
        port: typeof address === 'object' && address ? address.port : port,
        close: () =>
          new Promise((closed) => {
            smtp.close(() => closed())
            sockets.forEach((socket) => void socket.destroy())
          }),
      })
    })
  })
}

async function keep(
  store: MailStore,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  const mail = await PostalMime.parse(Buffer.concat(chunks))
  const { subject = '', text = '', html = '', messageId = null } = mail
  store.add({
    to: session.envelope.rcptTo.map(({ address }) => address).join(', '),
    subject,
    text,
    html,
    messageId,
  })
}

function answer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}
