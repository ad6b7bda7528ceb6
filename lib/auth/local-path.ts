/**
 * Where to go after signing in: a path on this site, or `/`. Browsers read `//host`, `/\host` and paths with control
 * characters as other sites, so those do not pass.
 */
export function localPath(path: string | undefined): string {
  if (!path?.startsWith('/') || /^\/[/\\]/.test(path) || /[\\\p{Cc}]/u.test(path)) return '/'
  const base = 'http://same.invalid'
  const parsed = URL.parse(path, base)
  return parsed?.origin === base ? parsed.pathname + parsed.search : '/'
}
