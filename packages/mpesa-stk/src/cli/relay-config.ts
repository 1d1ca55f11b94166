import { defaultRetention, type RetentionPolicy, retentionKinds } from '../core/deliver/retention.ts'
import { MpesaStkError } from '../core/errors.ts'
import { shortestSecret } from '../relay/encryption-key.ts'
import { readRanges, type SourceAllowListMode, sourceAllowListModes } from '../relay/source-settings.ts'

/** What `mpesa-stk-relay` is told by its environment. */
export type RelayConfig = {
  readonly host: string
  readonly port: number
  readonly databaseUrl: string | null
  readonly dataFolder: string
  readonly logLevel: string
  readonly adminToken: string | null
  readonly encryptionKey: string | null
  readonly allowPrivateTargets: boolean
  readonly retention: RetentionPolicy
  readonly sourceAllowList: SourceAllowListMode
  readonly sourceAddresses: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly streamHours: number
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/**
 * Reads the environment, and names what is wrong in it without repeating it.
 *
 * @throws MpesaStkError `MPESA_STK_CONFIG_INVALID`
 */
export function readRelayConfig(environment: Readonly<Record<string, string | undefined>>): RelayConfig {
  const text = (name: string): string | null => environment[name]?.trim() || null
  const port = text('PORT') ?? '3000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw invalid('PORT', 'a port number, 0 to 65535')
  const logLevel = text('LOG_LEVEL') ?? 'info'
  if (!logLevels.includes(logLevel)) throw invalid('LOG_LEVEL', `one of ${logLevels.join(', ')}`)
  const allowPrivate = text('RELAY_ALLOW_PRIVATE_TARGETS') ?? '0'
  if (!['0', '1'].includes(allowPrivate)) throw invalid('RELAY_ALLOW_PRIVATE_TARGETS', '0 or 1')
  const databaseUrl = text('DATABASE_URL')
  if (databaseUrl !== null && !(/^postgres(?:ql)?:\/\//.test(databaseUrl) && URL.canParse(databaseUrl))) {
    throw invalid('DATABASE_URL', 'a postgres:// URL; leave it out for the embedded store')
  }
  const streamHours = text('RELAY_STREAM_HOURS') ?? '24'
  if (!/^[1-9]\d{0,2}$/.test(streamHours) || Number(streamHours) > 168) {
    throw invalid('RELAY_STREAM_HOURS', 'a number of hours, 1 to 168')
  }
  const secret = (name: string): string | null => {
    const value = text(name)
    if (value !== null && value.length < shortestSecret) throw invalid(name, `at least ${shortestSecret} characters`)
    return value
  }
  const adminToken = secret('RELAY_ADMIN_TOKEN')
  // It is sent in a header, where a space would end it.
  if (adminToken !== null && !/^\S{1,500}$/.test(adminToken)) {
    throw invalid('RELAY_ADMIN_TOKEN', 'at most 500 characters, without spaces')
  }
  const sourceAllowList = text('RELAY_SOURCE_ALLOW_LIST') ?? 'observe'
  if (!isMode(sourceAllowList)) throw invalid('RELAY_SOURCE_ALLOW_LIST', `one of ${sourceAllowListModes.join(', ')}`)
  const ranges = (name: string): readonly string[] => {
    const texts = (text(name) ?? '').split(',').flatMap(each => each.trim() || [])
    readRanges(name, texts)
    return texts
  }
  return {
    host: text('HOST') ?? '127.0.0.1',
    port: Number(port),
    databaseUrl,
    dataFolder: text('RELAY_DATA_DIR') ?? '.data/relay',
    logLevel,
    adminToken,
    encryptionKey: secret('RELAY_ENCRYPTION_KEY'),
    allowPrivateTargets: allowPrivate === '1',
    retention: readRetention(text),
    sourceAllowList,
    sourceAddresses: ranges('RELAY_SOURCE_ADDRESSES'),
    trustedProxies: ranges('RELAY_TRUSTED_PROXIES'),
    streamHours: Number(streamHours),
  }
}

function readRetention(text: (name: string) => string | null): RetentionPolicy {
  const days: Partial<Record<keyof RetentionPolicy, number | null>> = {}
  for (const kind of retentionKinds) {
    const name = `RELAY_KEEP_${kind.toUpperCase()}_DAYS`
    const value = text(name)
    if (value === null) continue
    if (value !== 'forever' && !/^[1-9]\d{0,4}$/.test(value)) {
      throw invalid(name, 'a number of days, 1 to 99999, or the word forever')
    }
    days[`${kind}Days`] = value === 'forever' ? null : Number(value)
  }
  return { ...defaultRetention, ...days }
}

function isMode(text: string): text is SourceAllowListMode {
  return sourceAllowListModes.some(mode => mode === text)
}

function invalid(name: string, what: string): MpesaStkError {
  return new MpesaStkError('MPESA_STK_CONFIG_INVALID', `${name} must be ${what}`)
}
