import type { MailWords } from './words'

export type RenderedMail = { subject: string; text: string; html: string }

const FOOTER =
  'You get this mail because of a payment or an account of yours. We never ask for card numbers or passwords by mail.'

/** @param origin where links lead: the configured one, whatever a request said */
export function renderMail({ subject, paragraphs, link }: MailWords, origin: string): RenderedMail {
  const address = new URL(link.path, origin).href
  return {
    subject,
    text: [...paragraphs, `${link.text}:\n${address}`, `--\n${FOOTER}`, ''].join('\n\n').trimEnd(),
    html: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1c2024;background:#ffffff">
<div style="max-width:34rem;margin:0 auto">
${paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')}
<p><a href="${escapeHtml(address)}" style="color:#1d4ed8">${escapeHtml(link.text)}</a></p>
<p style="margin-top:32px;font-size:13px;color:#5a6169">${escapeHtml(FOOTER)}</p>
</div>
</body>
</html>
`,
  }
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
