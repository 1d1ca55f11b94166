import { describe, expect, test } from 'vitest'
import { type AddressRange, isWithin, readAddress, readRange } from './address-range.ts'
import { isKnownSource, listingOf, type SourceListing, sourceAddresses } from './source-addresses.ts'
import { forwardedByNobody, sourceOf } from './source-of.ts'

const rangesOf = (...texts: readonly string[]): readonly AddressRange[] =>
  texts.map(text => {
    const range = readRange(text)
    if (range === null) throw new Error(`${text} is no range`)
    return range
  })

describe('addresses', () => {
  test.each<[string, string | null]>([
    ['196.201.214.200', '196.201.214.200'],
    [' 196.201.214.200 ', '196.201.214.200'],
    ['::ffff:196.201.214.200', '196.201.214.200'],
    ['::ffff:c4c9:d6c8', '196.201.214.200'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ...['', 'unknown', '_hidden', 'localhost', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '1.2.3.4.5'].map(
      (text): [string, null] => [text, null],
    ),
    ...['256.0.0.1', '1.2.3', '::g', '1:2:3', '10.0.0.0/8', '‎196.201.214.200'].map((text): [string, null] => [
      text,
      null,
    ]),
  ])('%j is %s', (text, address) => {
    expect(readAddress(text)).toBe(address)
  })

  test.each([
    ['10.0.0.0/8', ['10.0.0.1', '10.255.255.255', '::ffff:10.1.1.1'], ['11.0.0.1', '::a00:1', '2001:db8::1']],
    ['10.1.2.3/8', ['10.0.0.1'], ['11.0.0.1']],
    ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['192.0.2.7/32', ['192.0.2.7'], ['192.0.2.6']],
    ['2001:db8::/32', ['2001:db8:ffff::1'], ['2001:db9::1', '10.0.0.1']],
    ['::ffff:10.0.0.0/104', ['10.9.9.9'], ['11.0.0.1']],
    ['::1', ['::1'], ['::2', '127.0.0.1']],
  ])('%s has what it has', (range, inside, outside) => {
    const ranges = rangesOf(range)
    const isIn = (text: string): boolean => isWithin(readAddress(text) ?? '', ranges)
    expect(inside.filter(text => !isIn(text))).toEqual([])
    expect(outside.filter(isIn)).toEqual([])
  })

  test.each([
    ...[
      '',
      '/',
      '/8',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '10.0.0.0/8.5',
      '10.0.0.0/a',
      'nginx',
    ],
    // Every address: nobody would be a stranger.
    ...['0.0.0.0/0', '::/0', '::ffff:0.0.0.0/96', '::/129', '::ffff:10.0.0.0/8'],
  ])('%j is no range', text => {
    expect(readRange(text)).toBeNull()
  })
})

test('each address that is published is one, with its confidence and where it was read', () => {
  expect(sourceAddresses.filter(({ range }) => readRange(range) === null)).toEqual([])
  const observed = sourceAddresses.filter(({ confidence }) => confidence === 'observed')
  expect(observed).toHaveLength(14)
  expect(sourceAddresses.filter(({ confidence }) => confidence === 'documented')).toEqual([])
  expect(sourceAddresses.filter(({ sources }) => sources.length === 0)).toEqual([])
})

test.each<[string, SourceListing, boolean]>([
  ['196.201.214.200', 'observed', true],
  ['196.201.212.69', 'observed', true],
  ['196.201.212.128', 'observed', true],
  ['196.201.212.130', 'unverified', false],
  ['196.201.214.201', 'unverified', false],
  ['196.201.213.45', null, false],
  ['196.201.215.1', null, false],
  ['203.0.113.9', 'operator', true],
  // What the operator says counts more than a list.
  ['196.201.212.131', 'operator', true],
  ['2001:db8:1::1', 'operator', true],
  ['2001:db8:2::1', null, false],
  ['127.0.0.1', null, false],
])('%s is listed by %s', (address, listing, isKnown) => {
  expect(listingOf(address, rangesOf('203.0.113.0/24', '196.201.212.131', '2001:db8:1::/48'))).toBe(listing)
  expect(isKnownSource(listing)).toBe(isKnown)
})

describe('where a request came from', () => {
  const proxies = rangesOf('10.0.0.0/8', '::1', '2001:db8:f::/48')
  const safaricom = '196.201.214.200'
  const stranger = '203.0.113.9'

  test.each<[string, string | null, string | null, string | null, string | null]>([
    ['the socket, without a proxy', safaricom, null, null, safaricom],
    ['the socket, as IPv4, where the server listens on IPv6', `::ffff:${safaricom}`, null, null, safaricom],
    ['the socket, of a stranger who says that he is somebody else', stranger, safaricom, `for=${safaricom}`, stranger],
    ['a stranger who says that he is a proxy', stranger, `${safaricom}, 10.0.0.1`, null, stranger],
    ['the proxy itself, where it passes nobody on', '10.0.0.1', null, null, '10.0.0.1'],
    ['whom a proxy names', '10.0.0.1', safaricom, null, safaricom],
    ['whom a proxy names, mapped', '::ffff:10.0.0.1', `::ffff:${safaricom}`, null, safaricom],
    ['whom a proxy names, over IPv6', '::1', '2001:db8::7', null, '2001:db8::7'],
    ['the right-most that is no proxy', '10.0.0.1', `${stranger}, ${safaricom}`, null, safaricom],
    ['not what the stranger wrote before', '10.0.0.1', `${safaricom}, ${stranger}`, null, stranger],
    [
      'not what the stranger wrote before, of a proxy',
      '10.0.0.1',
      `${safaricom}, 10.0.0.9, ${stranger}`,
      null,
      stranger,
    ],
    ['behind several proxies', '10.0.0.1', `${stranger}, ${safaricom}, 2001:db8:f::1, 10.0.0.2`, null, safaricom],
    ['the outermost proxy, where all are', '10.0.0.1', '10.0.0.3, 10.0.0.2', null, '10.0.0.3'],
    ['with a port', '10.0.0.1', `${safaricom}:4711`, null, safaricom],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8::7]:4711', null, '2001:db8::7'],
    ['IPv6 in brackets', '10.0.0.1', '[2001:db8::7]', null, '2001:db8::7'],
    ['odd spaces', '10.0.0.1', `${stranger} ,\t ${safaricom} `, null, safaricom],
    ['nobody can tell: no address', '10.0.0.1', 'unknown', null, null],
    ['nobody can tell: nothing', '10.0.0.1', '', null, null],
    ['nobody can tell: it ends in a comma', '10.0.0.1', `${safaricom},`, null, null],
    ['nobody can tell: no address behind a proxy', '10.0.0.1', `${safaricom}, _hidden, 10.0.0.2`, null, null],
    ['what stands left of the source is nothing to us', '10.0.0.1', `<script>, , ${safaricom}`, null, safaricom],
    ['Forwarded', '10.0.0.1', null, `for=${safaricom}`, safaricom],
    [
      'Forwarded, with all that may be in it',
      '10.0.0.1',
      null,
      `For="${safaricom}:80";proto=https;by=10.0.0.1`,
      safaricom,
    ],
    ['Forwarded, IPv6', '10.0.0.1', null, 'proto=https; for="[2001:db8::7]:4711"', '2001:db8::7'],
    [
      'Forwarded, several hops',
      '10.0.0.1',
      null,
      `for=${stranger}, for=${safaricom};by=10.0.0.2, for=10.0.0.2`,
      safaricom,
    ],
    ['Forwarded without a for', '10.0.0.1', null, 'proto=https', null],
    ['Forwarded, hidden', '10.0.0.1', null, 'for=_gazonk', null],
    ['Forwarded, with a comma in quotes', '10.0.0.1', null, `for="${stranger}, for=${safaricom}"`, null],
    ['both, which agree', '10.0.0.1', safaricom, `for=${safaricom}`, safaricom],
    ['both: the proxy writes the one and passes on the other', '10.0.0.1', stranger, `for=${safaricom}`, null],
    ['both, the other way round', '10.0.0.1', safaricom, `for=${stranger}`, null],
    ['no socket', null, safaricom, null, null],
    ['a socket of a file', '', safaricom, null, null],
  ])('%s', (_what, socket, xForwardedFor, forwarded, source) => {
    expect(sourceOf(socket, { xForwardedFor, forwarded }, proxies)).toBe(source)
  })

  test('no header is believed where no proxy is trusted', () => {
    for (const socket of ['127.0.0.1', '10.0.0.1', '::1']) {
      expect(sourceOf(socket, { xForwardedFor: safaricom, forwarded: `for=${safaricom}` }, [])).toBe(socket)
    }
    expect(sourceOf('10.0.0.1', forwardedByNobody, proxies)).toBe('10.0.0.1')
  })

  test('a walk without end ends, at nobody whom we know', () => {
    const endless = `${safaricom}, ${Array.from({ length: 50_000 }, () => '10.0.0.2').join(', ')}`
    expect(sourceOf('10.0.0.1', { xForwardedFor: endless, forwarded: null }, proxies)).toBe('10.0.0.2')
  })
})
