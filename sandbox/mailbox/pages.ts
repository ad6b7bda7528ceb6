import type { Mail } from './store.ts'

/** The two pages of the mailbox. Everything a mail says is escaped; its html part is shown in a sealed frame. */
export function listPage(mails: Mail[], to: string): string {
  const rows = mails
    .map(
      (mail) => `<li><a href="/messages/${mail.id}">
        <span class="subject">${escapeHtml(mail.subject)}</span>
        <span class="meta"><span>to ${escapeHtml(mail.to)}</span> <span>${time(mail.sentAt)}</span></span></a></li>`,
    )
    .join('\n')
  return page(
    'Mailbox',
    `<h1>Mailbox</h1>
    <p class="lead">Every mail the sandbox would have sent. Nothing leaves this machine.</p>
    <form method="get" action="/" role="search">
      <label for="to">Sent to</label>
      <input id="to" name="to" type="email" value="${escapeHtml(to)}" autocomplete="off" placeholder="ada@example.com">
      <button type="submit">Filter</button>
    </form>
    ${mails.length > 0 ? `<ul class="mails">${rows}</ul>` : '<p class="empty">No mails yet. They appear here as soon as one is sent.</p>'}`,
  )
}

export function mailPage(mail: Mail): string {
  const links = mail.links
    .map((link) => `<li><a href="${escapeHtml(link)}" rel="noreferrer">${escapeHtml(link)}</a></li>`)
    .join('\n')
  return page(
    mail.subject,
    `<p><a href="/">All mails</a></p>
    <h1>${escapeHtml(mail.subject)}</h1>
    <p class="meta"><span>to ${escapeHtml(mail.to)}</span> <span>${time(mail.sentAt)}</span></p>
    ${links ? `<h2>Links in this mail</h2><ul class="links">${links}</ul>` : ''}
    <h2>Text</h2>
    <pre tabindex="0" aria-label="Text of the mail">${escapeHtml(mail.text)}</pre>
    <h2>As it looks</h2>
    <iframe src="/messages/${mail.id}/html" sandbox title="The mail as it looks" loading="lazy"></iframe>`,
  )
}

export function notFoundPage(): string {
  return page(
    'Not here',
    '<h1>Not here</h1><p>This mail does not exist (any more). <a href="/">All mails</a></p>',
  )
}

/** Nothing but our own style sheet; the frame is our own address too. */
export const PAGE_CSP =
  "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** The html of a mail runs nothing, loads nothing and is nobody: `sandbox` gives it an origin of its own. */
export const MAIL_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} – Sandbox mailbox</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
${body}
</main>
</body>
</html>`
}

function time(iso: string): string {
  return `<time datetime="${escapeHtml(iso)}">${escapeHtml(iso.replace('T', ' ').slice(0, 19))} UTC</time>`
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

export const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --soft: #5a6169; --line: #d9dce0; --ground: #fbfbfc; --panel: #fff; --link: #1d4ed8 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8eaed; --soft: #a4abb3; --line: #33383e; --ground: #131518; --panel: #1a1d21; --link: #93b4ff }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere }
h2 { font-size: 1rem; margin: 1.75rem 0 .5rem }
a { color: var(--link); overflow-wrap: anywhere }
a:focus-visible, input:focus-visible, button:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
.lead, .meta, .empty { color: var(--soft) }
form { display: grid; grid-template-columns: 1fr auto; gap: .25rem .5rem; margin: 1.5rem 0 }
label { grid-column: 1 / -1; font-size: .875rem; font-weight: 500 }
input, button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--soft); border-radius: 6px; padding: .5rem .75rem; min-height: 44px }
input { min-width: 0 }
button { cursor: pointer }
ul { list-style: none; margin: 0; padding: 0 }
.mails { border: 1px solid var(--line); border-radius: 8px; background: var(--panel); overflow: hidden }
.mails li + li { border-top: 1px solid var(--line) }
.mails a { display: block; padding: .75rem 1rem; text-decoration: none; color: inherit }
.mails a:hover .subject { text-decoration: underline }
.subject { display: block; font-weight: 600 }
.meta { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin: 0; font-size: .875rem; overflow-wrap: anywhere }
.links li { padding: .25rem 0 }
pre, iframe { width: 100%; border: 1px solid var(--line); border-radius: 8px; background: var(--panel) }
pre { margin: 0; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem }
iframe { height: 26rem; background: #fff }
`
