/**
 * Where to go after signing in: a path on this site, or `/`. Browsers read `//host`, `/\host` and paths with control
 * characters as other sites, so those do not pass.
 */
export function localPath(path: string | undefined): string {
  if (path === undefined || !isLocal(path)) return '/'
  const base = 'http://same.invalid'
  const parsed = URL.parse(path, base)
  // Once more after parsing: `/..//host` only then becomes `//host`.
  return parsed?.origin === base && isLocal(parsed.pathname) ? parsed.pathname + parsed.search : '/'
}

function isLocal(path: string): boolean {
  return path.startsWith('/') && !path.startsWith('//') && !/[\\\p{Cc}]/u.test(path)
}
