/**
 * Whether a request says that it comes from one of these origins: a missing Origin does not, and neither does `null`.
 * Browsers say in Sec-Fetch-Site how they see it; only another origin of ours may be anything but `same-origin`.
 * @param listed origins of ALLOWED_ORIGINS, for what they may call
 */
export function isFromUs(headers: Headers, appOrigin: string, listed: readonly string[] = []): boolean {
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  if (origin === appOrigin) return site === null || site === 'same-origin'
  return origin !== null && listed.includes(origin)
}
