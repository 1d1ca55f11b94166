import { chmodSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PostgresAdapter, SqliteAdapter } from 'mpesa-stk'
import { createRelayServer, SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { checks } from '../../packages/mpesa-stk/src/doctor/checks.ts'
import { checkTexts, runChecks } from '../../packages/mpesa-stk/src/doctor/run-checks.ts'
import { judgeSpool } from '../../packages/mpesa-stk/src/doctor/spool.ts'
import { openSqliteDatabase } from '../../packages/mpesa-stk/src/store/sqlite/database.ts'
import { findServices } from '../../scripts/services/find.ts'
import { findFreePort, startRelay } from '../relay/relay-process.ts'
import { openRelaySchema } from '../relay/relay-schema.ts'
import { diagnose, type Environment, type Floor, openFloor, see, seen } from './doctor-floor.ts'
import { runMpesaStk } from './run-mpesa-stk.ts'

const { postgres } = await findServices()

const key = 'a key that has more than sixteen characters'
const relayData = { RELAY_DATA_DIR: 'data' }
const production = { MPESA_ENVIRONMENT: 'production' }
const dayMs = 24 * 3_600_000
const day = (daysAgo: number): string =>
  new Date(Date.now() + 3 * 3_600_000 - daysAgo * dayMs).toISOString().slice(0, 10)

/** A finding, and a set-up that has it. What is returned is added to the environment of `floor.library()`. */
type Broken = readonly [name: string, breaking: (floor: Floor) => Environment | Promise<Environment>]

const brokenOffline: readonly Broken[] = [
  ['settings/library-settings', () => ({ MPESA_ENVIRONMENT: 'live' })],
  ['settings/relay-settings', () => ({ PORT: 'eighty' })],
  ['daraja-access/credentials-incomplete', () => ({ MPESA_PASSKEY: '' })],
  ['callback-url/callback-missing', () => ({ MPESA_CALLBACK_URL: '' })],
  ['callback-url/callback-malformed', () => ({ MPESA_CALLBACK_URL: 'shop.example/paid' })],
  ['callback-url/callback-not-https', () => ({ MPESA_BASE_URL: '', MPESA_CALLBACK_URL: 'http://shop.example/paid' })],
  ['callback-url/callback-private', () => ({ MPESA_BASE_URL: '', MPESA_CALLBACK_URL: 'https://10.0.0.7/paid' })],
  ['callback-url/callback-private', () => ({ MPESA_BASE_URL: '', MPESA_CALLBACK_URL: 'https://[::ffff:10.0.0.7]/' })],
  ['callback-url/callback-forbidden-word', () => ({ MPESA_CALLBACK_URL: 'https://shop.example/M-Pesa/paid' })],
  ['callback-url/callback-forbidden-word', () => ({ MPESA_CALLBACK_URL: 'https://abc.ngrok.app/paid' })],
  ['shortcode/shortcode-malformed', () => ({ MPESA_SHORTCODE: '12' })],
  ['shortcode/transaction-type-unknown', () => ({ MPESA_TRANSACTION_TYPE: 'CustomerBuyGoods' })],
  ['shortcode/paybill-pays-another', () => ({ MPESA_PARTY_B: '600111' })],
  ['shortcode/till-without-number', () => ({ MPESA_TRANSACTION_TYPE: 'CustomerBuyGoodsOnline' })],
  ['shortcode/sandbox-shortcode', () => ({ ...production, MPESA_SHORTCODE: '174379' })],
  ['shortcode/other-daraja', () => ({ ...production, MPESA_BASE_URL: 'https://sandbox.safaricom.co.ke/' })],
  ['shortcode/other-daraja', () => production],
  ['payment-store/store-not-migrated', () => ({ MPESA_STORE_FILE: 'payments.db' })],
  ['payment-store/store-older', floor => brokenFile(floor, 'DELETE FROM mpesa_migrations WHERE version > 7')],
  ['payment-store/store-newer', floor => brokenFile(floor, "INSERT INTO mpesa_migrations VALUES (99, 'later', 0)")],
  ['payment-store/store-misshapen', floor => brokenFile(floor, 'DROP INDEX mpesa_initiations_key')],
  ['payment-store/store-away', floor => ({ MPESA_STORE_FILE: floor.write('payments.db', 'no database '.repeat(99)) })],
  ['relay-store/store-not-migrated', () => relayData],
  ['relay-store/store-newer', floor => brokenRelay(floor, "INSERT INTO relay_migrations VALUES (99, 'later', 0)")],
  ['relay-store/store-misshapen', floor => brokenRelay(floor, 'ALTER TABLE relay_apps DROP COLUMN schedule_ms')],
  [
    'relay-store/store-away',
    floor => ({ ...relayData, data: floor.write('data/relay.db', 'no database '.repeat(99)) }),
  ],
  [
    'encryption-key/key-wrong',
    async floor => ({ ...(await brokenRelay(floor)), RELAY_ENCRYPTION_KEY: `another ${key}` }),
  ],
  [
    'encryption-key/key-lost',
    async floor => {
      const environment = await brokenRelay(floor)
      rmSync(join(floor.folder, 'data/encryption-key'))
      return environment
    },
  ],
  [
    'encryption-key/key-readable',
    async floor => {
      const environment = await brokenRelay(floor)
      chmodSync(join(floor.folder, 'data/encryption-key'), 0o640)
      return environment
    },
  ],
  ['encryption-key/key-short', floor => ({ ...relayData, data: floor.write('data/encryption-key', 'short\n') })],
  ['admin-token/admin-token-missing', () => ({ ...relayData, HOST: '0.0.0.0' })],
  ['admin-token/admin-token-behind-proxy', () => ({ ...relayData, RELAY_TRUSTED_PROXIES: '127.0.0.1' })],
  ['allow-list/allow-list-off', () => ({ ...relayData, ...production, RELAY_SOURCE_ALLOW_LIST: 'off' })],
  ['allow-list/allow-list-unknown', () => ({ RELAY_SOURCE_ALLOW_LIST: 'on' })],
  ['allow-list/proxies-malformed', () => ({ RELAY_TRUSTED_PROXIES: '10.0.0.5, 10.1.0.0/99' })],
  ['allow-list/proxy-refused', () => ({ ...behindProxy, RELAY_SOURCE_ALLOW_LIST: 'enforce' })],
  ['allow-list/proxy-observed', () => ({ ...behindProxy, RELAY_SOURCE_ALLOW_LIST: 'observe' })],
  ['spool/spool-unwritable', floor => ({ ...relayData, data: floor.write('data/spool', 'a file') })],
  [
    'spool/spool-waiting',
    floor => ({ ...relayData, data: floor.write('data/spool/spool-000000000001-00000000000a.log') }),
  ],
  [
    'spool/spool-stuck',
    floor => {
      const path = floor.write('data/spool/spool-000000000001-00000000000a.log', 'callbacks')
      utimesSync(path, new Date(0), new Date(Date.now() - 3_600_000))
      return relayData
    },
  ],
  ['spool/spool-refused', floor => ({ ...relayData, data: floor.write('data/spool/refused-0a.frame') })],
  [
    'spool/spool-torn',
    floor => ({ ...relayData, data: floor.write('data/spool/spool-000000000001-00000000000a.log.torn') }),
  ],
  [
    'committed-secrets/secret-committed',
    floor => {
      floor.git('init', '--quiet')
      floor.write('src/pay.js', "const secret = 'doctor-consumer-secret'\n")
      floor.git('add', '.')
      return {}
    },
  ],
  [
    'committed-secrets/secret-committed',
    async floor => {
      // The key that the relay made, in a binary file, committed and changed on the disk since.
      const environment = await brokenRelay(floor)
      floor.git('init', '--quiet')
      floor.git('add', 'data/encryption-key')
      floor.git('commit', '--quiet', '-m', 'all')
      return environment
    },
  ],
  [
    'committed-secrets/secret-committed',
    async floor => {
      floor.git('init', '--quiet')
      const address = `postgres://a:doctor%40database@127.0.0.1:${await findFreePort()}/x`
      floor.write('compose.yml', `DATABASE_URL: ${address}\n`)
      floor.git('add', '.')
      return { DATABASE_URL: address }
    },
  ],
  [
    'committed-secrets/env-file-tracked',
    floor => {
      floor.git('init', '--quiet')
      floor.write('deploy/.env.production', 'PORT=3000\nexport MPESA_CONSUMER_KEY="somebody’s"\n')
      floor.write('.env.example', 'MPESA_PASSKEY=put-yours-here\n')
      floor.git('add', '.')
      return {}
    },
  ],
  ['operator-password/password-expired', () => ({ MPESA_INITIATOR_PASSWORD_CHANGED: day(91) })],
  ['operator-password/password-expires-soon', () => ({ MPESA_INITIATOR_PASSWORD_CHANGED: day(80) })],
  ['operator-password/password-date-unreadable', () => ({ MPESA_INITIATOR_PASSWORD_CHANGED: '2026-02-30' })],
  ['operator-password/password-date-unreadable', () => ({ MPESA_INITIATOR_PASSWORD_CHANGED: day(-3) })],
  ['operator-password/password-date-unknown', () => ({ MPESA_SECURITY_CREDENTIAL: 'a long credential' })],
]

const behindProxy = { ...relayData, MPESA_CALLBACK_URL: 'https://shop.example/hooks/app_x' }

async function brokenFile(floor: Floor, sql: string): Promise<Environment> {
  const file = await floor.openStoreFile()
  await damage(join(floor.folder, file), sql)
  return { MPESA_STORE_FILE: file }
}

/** The data of a relay that was run once. */
async function brokenRelay(floor: Floor, sql?: string): Promise<Environment> {
  const dataFolder = join(floor.folder, 'data')
  const path = join(dataFolder, 'relay.db')
  const storage = await SqliteRelayAdapter.open(path)
  await storage.migrate()
  const relay = createRelayServer({ storage, dataFolder, workers: 'manual' })
  await relay.start()
  await relay.stop()
  await storage.close()
  if (sql !== undefined) await damage(path, sql)
  return relayData
}

async function damage(path: string, sql: string): Promise<void> {
  const database = await openSqliteDatabase(path)
  database.exec(sql)
  database.close()
}

const brokenOnline: readonly Broken[] = [
  ['clock/clock-off', async floor => ({ MPESA_BASE_URL: await floor.answering(400, dateIn(-600)) })],
  ['clock/clock-drifts', async floor => ({ MPESA_BASE_URL: await floor.answering(400, dateIn(30)) })],
  ['daraja-access/daraja-away', async () => ({ MPESA_BASE_URL: `http://127.0.0.1:${await findFreePort()}` })],
  ['daraja-access/firewall', floor => answerAll(floor, 'oauth', 'incapsula-503')],
  ['daraja-access/firewall', floor => answerAll(floor, 'stk-query', 'incapsula-403')],
  ['daraja-access/credentials-refused', () => ({ MPESA_CONSUMER_SECRET: 'of-another-app' })],
  ['daraja-access/no-stk-product', floor => answerAll(floor, 'stk-query', '401.003.01')],
  ['daraja-access/passkey-wrong', () => ({ MPESA_PASSKEY: 'of-another-shortcode' })],
  ['daraja-access/passkey-wrong', () => ({ MPESA_SHORTCODE: '600111' })],
  ['daraja-access/asked-too-often', floor => answerAll(floor, 'stk-query', '429')],
  ['daraja-access/access-unproven', floor => answerAll(floor, 'stk-query', '500.001.1001-internal')],
  ['callback-url/callback-unresolvable', () => ({ MPESA_CALLBACK_URL: 'https://no-such-host-of-a-shop/paid' })],
  [
    'callback-url/callback-private',
    () => ({ MPESA_BASE_URL: 'https://[::1', MPESA_CALLBACK_URL: 'https://localhost/' }),
  ],
  [
    'callback-url/callback-unreachable',
    async () => ({ MPESA_CALLBACK_URL: `http://127.0.0.1:${await findFreePort()}/paid` }),
  ],
  [
    'callback-url/callback-answers-error',
    async floor => ({ MPESA_CALLBACK_URL: `${await floor.answering(502)}/paid` }),
  ],
  [
    'callback-url/callback-redirects',
    async floor => ({ MPESA_CALLBACK_URL: `${await floor.answering(301, { location: '/elsewhere' })}/paid` }),
  ],
  [
    'callback-url/callback-no-relay',
    async floor => ({ MPESA_CALLBACK_URL: `${await floor.answering(404)}/hooks/app_x` }),
  ],
  [
    'payment-store/store-away',
    async () => ({ DATABASE_URL: `postgres://a:doctor-database@127.0.0.1:${await findFreePort()}/x` }),
  ],
  [
    'relay-store/store-away',
    async () => ({ ...relayData, DATABASE_URL: `postgres://a:doctor-database@127.0.0.1:${await findFreePort()}/x` }),
  ],
]

const dateIn = (seconds: number): Environment => ({ date: new Date(Date.now() + seconds * 1_000).toUTCString() })

function answerAll({ simulator }: Floor, api: 'oauth' | 'stk-query', ackError: '429'): Environment
function answerAll({ simulator }: Floor, api: 'oauth' | 'stk-query', ackError: string): Environment
function answerAll({ simulator }: Floor, api: 'oauth' | 'stk-query', ackError: string): Environment {
  simulator.addScenario({ api, ackError: ackError as '429', times: 'always' })
  return {}
}

const credentials = [
  {
    consumerKey: 'doctor-consumer-key',
    consumerSecret: 'doctor-consumer-secret',
    shortCode: '600984',
    passkey: 'doctor-pass-key',
  },
]

describe.each([
  ['offline', brokenOffline, true],
  ['online', brokenOnline, false],
] as const)('a broken set-up is found, %s', (_name, broken, isOffline) => {
  test.each(broken)('%s', async (name, breaking) => {
    await using floor = await openFloor({ credentials })
    const environment = floor.library(await breaking(floor))
    const findings = (await diagnose(floor.folder, environment, isOffline)).flatMap(report => report.findings)
    const found = findings.map(each => `${each.check}/${each.name}`)
    expect(found).toContain(name)
    expect(findings.filter(({ what, why, mend }) => [what, why, mend].some(text => /\{\w+\}/.test(text)))).toEqual([])
    expect(JSON.stringify(findings)).not.toContain('doctor-database')
  })
})

describe('a check', () => {
  test('that throws or never ends is a finding, and the others go on', async () => {
    const check = (name: string, run: () => Promise<never> | Promise<[]>) => ({ name, about: name, texts: {}, run })
    const private_ = 'password of 254712345678 is hunter2'
    const reports = await Promise.all(
      runChecks(
        [
          check('hangs', () => new Promise(() => {})),
          check('throws', () => Promise.reject(new Error(private_))),
          check('is well', async () => []),
        ],
        { environment: {}, folder: '.', now: new Date(), isOffline: true },
        50,
      ),
    )
    expect(reports.map(({ findings }) => see(findings).map(({ name }) => name))).toEqual([
      ['check-hung'],
      ['check-failed'],
      [],
    ])
    expect(JSON.stringify(reports)).not.toMatch(/hunter2|2547/)
  })

  // No test may fill a disk that others are on: the only facts that are made up.
  test.each([
    [10, ['disk-full']],
    [500, ['disk-low']],
    [5_000, []],
  ])('of a disk with %d MiB left', (mebibytes, names) => {
    const facts = { path: '/data/spool', unwritable: null, files: [], now: new Date(), freeBytes: mebibytes * 2 ** 20 }
    expect(see(judgeSpool(facts)).map(({ name }) => name)).toEqual(names)
  })
})

/** Everything as it should be: a merchant's folder, his relay as a process, and the store that the environment names. */
async function openGood(floor: Floor, store: Environment) {
  const dataFolder = join(floor.folder, 'data')
  const relayEnvironment = {
    ...store,
    RELAY_DATA_DIR: dataFolder,
    RELAY_ADMIN_TOKEN: `admin ${key}`.replaceAll(' ', '-'),
    RELAY_SOURCE_ALLOW_LIST: 'observe',
  }
  const relay = await startRelay({ ...relayEnvironment, PORT: '0' })
  floor.closing(() => relay.stop())
  const response = await fetch(`${relay.url}/apps`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${relayEnvironment.RELAY_ADMIN_TOKEN}`,
    },
    body: JSON.stringify({ targetUrl: `${floor.simulator.url}/merchant` }),
  })
  const { hookUrl } = (await response.json()) as { hookUrl: string }
  floor.write('.gitignore', '.env\n')
  floor.write('.env', 'MPESA_CONSUMER_SECRET=doctor-consumer-secret\n')
  floor.write('README.md', 'a shop\n')
  floor.git('init', '--quiet')
  floor.git('add', '.gitignore', 'README.md')
  return floor.library({
    ...relayEnvironment,
    MPESA_CALLBACK_URL: `${relay.url}${new URL(hookUrl, relay.url).pathname}`,
    MPESA_INITIATOR_PASSWORD_CHANGED: day(1),
  })
}

describe('a good set-up', () => {
  test('is told in a line a check, and exit code 0, beside a relay and a shop that run', async () => {
    await using floor = await openFloor({ credentials, queryRate: false })
    const file = await floor.openStoreFile()
    // The shop runs: it owns the file.
    const shop = await SqliteAdapter.open(join(floor.folder, file))
    floor.closing(() => shop.close())
    const environment = await openGood(floor, { MPESA_STORE_FILE: file })
    const { code, out, err } = await runMpesaStk(['doctor'], environment, floor.folder)
    expect([code, err]).toEqual([0, ''])
    expect(out.trimEnd().split('\n')).toEqual(checks.map(({ name }) => expect.stringMatching(`^ok +${name} `)))
    // And broken under it: the same, with the exit code of an error, for a program.
    writeFileSync(join(floor.folder, 'data/spool/refused-0a.frame'), '')
    const broken = await runMpesaStk(['doctor', '--json'], environment, floor.folder)
    const told = JSON.parse(broken.out) as { ok: boolean; checks: { check: string; findings: { name: string }[] }[] }
    expect([broken.code, told.ok]).toEqual([1, false])
    expect(told.checks.flatMap(({ findings }) => findings.map(({ name }) => name))).toEqual(['spool-refused'])
  }, 180_000)

  test('where somebody only asks a relay elsewhere, none is looked for here', async () => {
    await using floor = await openFloor()
    const environment = { RELAY_URL: 'https://relay.example', RELAY_ADMIN_TOKEN: 'the-token-of-an-operator' }
    const { code, out } = await runMpesaStk(['doctor', '--offline'], environment, floor.folder)
    expect(code).toBe(0)
    expect(out).toMatch(/^- +relay-store +skipped, because no relay is set up here/m)
  }, 180_000)

  test('warnings alone are no failure', async () => {
    await using floor = await openFloor()
    const environment = { MPESA_SECURITY_CREDENTIAL: 'a long credential' }
    const { code, out } = await runMpesaStk(['doctor', '--offline'], environment, floor.folder)
    expect(code).toBe(0)
    expect(out).toMatch(/^warning +operator-password +password-date-unknown$/m)
    expect(out).toMatch(
      /^warning operator-password\/password-date-unknown: an API operator .*\n {2}why .*\n {2}mend .*2026/m,
    )
    expect(out).toMatch(/^- +daraja-access +skipped, because no credentials/m)
  }, 180_000)

  test.runIf(postgres)(
    'on PostgreSQL, whose token is not cancelled; and there what is broken is found',
    async () => {
      await using schema = await openRelaySchema(postgres?.url ?? '')
      await using floor = await openFloor({ credentials, queryRate: false })
      const store = new PostgresAdapter(schema.pool)
      await store.migrate()
      const environment = await openGood(floor, { DATABASE_URL: schema.url(), RELAY_ENCRYPTION_KEY: key })
      const names = async () =>
        (await diagnose(floor.folder, environment)).flatMap(({ findings, skipped }) => [
          ...findings.map(each => `${each.check}/${each.name}`),
          ...(skipped === null ? [] : [skipped]),
        ])
      expect(await names()).toEqual([])
      expect(await names()).toEqual([])
      const tokens = floor.simulator.requests().filter(({ headers }) => headers['authorization']?.startsWith('Basic'))
      expect(tokens).toHaveLength(1)
      const left = await schema.pool.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'mpesa_stk_doctor%'")
      expect(left.rows).toEqual([])
      const misshapen = ['payment-store/store-misshapen']
      await schema.pool.query('DROP TRIGGER mpesa_audit_no_change ON mpesa_audit')
      expect(await names()).toEqual(misshapen)
      await schema.pool.query('ALTER TABLE mpesa_payments DROP CONSTRAINT mpesa_payments_checkout_request_id_key')
      const reports = await diagnose(floor.folder, environment)
      expect(JSON.stringify(reports)).toContain('mpesa_payments_checkout_request_id_key, mpesa_audit_no_change')
      await schema.pool.query('DELETE FROM mpesa_migrations WHERE version > 6; DELETE FROM relay_migrations')
      expect(await names()).toEqual(['payment-store/store-older', 'relay-store/store-not-migrated'])
    },
    180_000,
  )
})

test('every finding that there is was seen in a set-up that has it', () => {
  const all = checks.flatMap(({ name, texts }) => Object.keys(texts).map(each => `${name}/${each}`))
  // There has been one schema of the relay so far; and whatever a check cannot do is told in one way.
  const never = ['relay-store/store-older']
  expect(all.filter(name => !seen.has(name))).toEqual(never)
  expect([...seen].map(name => name.split('/')[1])).toEqual(expect.arrayContaining(Object.keys(checkTexts)))
})
