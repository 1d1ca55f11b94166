/** 24 random bytes as base64url: 192 bits, 32 characters, safe in a path. */
export function createCallbackToken(random: Uint8Array): string {
  let binary = ''
  for (const byte of random) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The URL that Safaricom is told: the token behind the path, before any query. */
export function callbackUrlWithToken(callbackUrl: string, token: string): string {
  const url = new URL(callbackUrl)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/t/${token}`
  return url.href
}
