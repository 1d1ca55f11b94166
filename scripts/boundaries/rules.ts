/** The arrows of the design, as data. `check-boundaries.ts` only applies them. Paths are relative to the repository. */

const product = 'packages/mpesa-stk/src/'

export type ArrowRule = {
  name: string
  /** Files under this folder ... */
  from: string
  /** ... import other source files only from these folders, */
  mayImport: readonly string[]
  /** ... and of packages only these. A trailing `/*` means: any of its subpaths. Undefined: any package. */
  packages?: readonly string[]
  /** Of these packages, only these named imports. */
  onlyNames?: Readonly<Record<string, readonly string[]>>
  reason: string
}

export const arrowRules: readonly ArrowRule[] = [
  {
    name: 'core-imports-only-core',
    from: `${product}core/`,
    mayImport: [`${product}core/`],
    packages: ['zod', 'libphonenumber-js/*', 'ipaddr.js', 'node:crypto'],
    onlyNames: { 'node:crypto': ['createHash', 'createHmac', 'hash', 'timingSafeEqual'] },
    reason:
      'core decides from data and a given time, so that every instant can be tested; edges reach it through ports.ts',
  },
  {
    name: 'daraja-imports-only-core',
    from: `${product}daraja/`,
    mayImport: [`${product}core/`, `${product}seal/`, `${product}daraja/`],
    reason: 'the way to Safaricom is one edge; edges meet only through core',
  },
  {
    name: 'credentials-import-only-core',
    from: `${product}credentials/`,
    mayImport: [`${product}core/`, `${product}credentials/`],
    reason: 'where secrets are kept is an edge of its own: it knows what credentials are, and not what they are for',
  },
  {
    name: 'workers-import-only-core',
    from: `${product}workers/`,
    mayImport: [`${product}core/`, `${product}telemetry/`, `${product}workers/`],
    reason: 'a worker claims from the Store port and runs what it is given; who wires it chooses both',
  },
  {
    name: 'store-imports-only-core',
    from: `${product}store/`,
    mayImport: [`${product}core/`, `${product}store/`],
    reason: 'SQL that adapters share knows what core asks for, and not who asks',
  },
  {
    name: 'adapters-import-only-store-and-core',
    from: `${product}adapters/`,
    mayImport: [`${product}core/`, `${product}store/`, `${product}adapters/`],
    reason: 'an adapter keeps the promises of the Store port; it knows no HTTP, no worker and no Safaricom',
  },
  {
    name: 'outbound-imports-only-core',
    from: `${product}outbound/`,
    mayImport: [`${product}core/`, `${product}outbound/`],
    reason: 'the way to merchants is one edge; it is told what to send, and knows no store',
  },
  {
    name: 'relay-link-imports-only-core',
    from: `${product}relay-link/`,
    mayImport: [`${product}core/`, `${product}platform.ts`, `${product}relay-link/`],
    reason: 'a merchant’s server reaches its relay over HTTP, and loads nothing of it',
  },
  {
    name: 'telemetry-imports-only-core',
    from: `${product}telemetry/`,
    mayImport: [`${product}core/`, `${product}telemetry/`],
    packages: ['@opentelemetry/api'],
    reason: 'spans are told of what is done, and do nothing; the SDK is whose process it is',
  },
  {
    name: 'spool-imports-only-core',
    from: `${product}spool/`,
    mayImport: [`${product}core/`, `${product}workers/batcher.ts`, `${product}spool/`],
    reason: 'the spool keeps bytes on a disk; what they mean is for who drains it',
  },
  {
    name: 'http-imports-no-store',
    from: `${product}http/`,
    mayImport: [
      `${product}core/`,
      `${product}relay/`,
      `${product}telemetry/`,
      `${product}http/`,
      `${product}platform.ts`,
    ],
    reason: 'routes translate between HTTP and the relay; SQL, sockets to merchants and files are behind it',
  },
  {
    name: 'client-has-no-dependencies',
    from: 'packages/client/src/',
    mayImport: ['packages/client/src/'],
    // Of the page that uses the hooks, and only of such a page.
    packages: ['react'],
    reason: 'it goes into every web page of a merchant; its size and its freedom from Node are promises',
  },
]

/** Packages that must not know another one, in tests neither. */
export const strangers = [
  {
    name: 'simulator-shares-no-logic',
    from: 'packages/simulator/',
    never: 'mpesa-stk',
    reason: 'a fake Daraja that shared our code would share our mistakes, and the tests would agree with them',
  },
] as const

/** What core may not touch, because it would make a decision depend on more than its arguments. */
export const impureInCore = {
  name: 'core-is-pure',
  from: `${product}core/`,
  /** Any use of these globals. */
  globals: ['process', 'console', 'performance'],
  /** Calls of these globals. */
  calls: ['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'require'],
  /** Any use of these members. */
  members: ['Date.now', 'Math.random', 'crypto.randomUUID', 'crypto.randomBytes', 'crypto.getRandomValues'],
  reason: 'time, randomness, timers, environment and output reach core as arguments or through a port',
} as const

export const fileNameRules = [
  {
    name: 'no-bucket-files',
    under: /^packages\/[^/]+\/src\//,
    names: ['utils.ts', 'types.ts', 'helpers.ts'],
    reason: 'such a name hides where an idea lives; name the file for the one thing that it holds',
  },
  {
    name: 'no-barrels-in-core',
    under: /^packages\/mpesa-stk\/src\/core\//,
    names: ['index.ts'],
    reason: 'a barrel makes cycles and hides which file is meant; import the file itself',
  },
] as const

export const cycleReason = 'files that need each other cannot be understood, tested or moved one by one'
export const foreignPathReason = 'a package is used through its exports; its files may move'
