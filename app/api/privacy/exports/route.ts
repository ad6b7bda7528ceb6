import { requireRecentSignIn } from '@/lib/auth/session'
import { route } from '@/lib/http'
import { exportData } from '@/lib/privacy/export-data'

/** All we hold of the signed-in person, as a file. The password of the last ten minutes is wanted; three a day. */
export const POST = route(async () => {
  const user = await requireRecentSignIn('proof_too_old')

  const text = await exportData({ user })

  return new Response(streamed(text), {
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': 'attachment; filename="my-data.json"',
      'x-content-type-options': 'nosniff',
    },
  })
})

/** As fast as the other side reads: a long history is never in memory as a whole. */
function streamed(text: AsyncGenerator<string>): ReadableStream {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await text.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await text.return(undefined)
    },
  })
}
