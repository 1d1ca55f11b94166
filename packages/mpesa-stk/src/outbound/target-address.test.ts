import { describe, expect, test } from 'vitest'
import { refusal } from './send.ts'
import { isPublicAddress } from './target-address.ts'

describe('addresses', () => {
  test.each([
    ...['127.0.0.1', '127.8.9.10', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    // Link-local and cloud metadata, CGNAT, benchmarking, documentation, multicast, broadcast, reserved.
    ...['169.254.0.1', '169.254.169.254', '100.64.0.1', '100.127.255.254', '198.18.0.1', '192.0.2.1', '198.51.100.7'],
    ...['203.0.113.9', '224.0.0.1', '239.255.255.255', '255.255.255.255', '240.0.0.1', '192.0.0.1'],
    ...['::', '::1', 'fe80::1', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1'],
    // IPv4 in disguise: mapped, compatible, NAT64, local NAT64, 6to4, Teredo.
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '::ffff:0:127.0.0.1', '64:ff9b::127.0.0.1'],
    ...['64:ff9b::a9fe:a9fe', '64:ff9b:1::10.0.0.1', '2002:7f00:1::', '2002:c0a8:101::1', '2001::1'],
    ...['', 'localhost', '127.1.1', 'nonsense', '::ffff:999.0.0.1'],
  ])('%s is nobody’s public endpoint', address => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each([
    ...['8.8.8.8', '196.201.214.200', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450:4001::1'],
    ...['::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1'],
  ])('%s may be', address => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('URLs', () => {
  test.each([
    // Every way to write 127.0.0.1 that a URL parser undoes.
    ...['https://127.0.0.1/', 'https://127.1/', 'https://2130706433/', 'https://0x7f000001/', 'https://0177.0.0.1/'],
    ...['https://0x7f.1/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://[0:0:0:0:0:ffff:7f00:0001]/'],
    ...['https://①②⑦.⓪.⓪.①/', 'https://169.254.169.254/latest/meta-data', 'https://[fd00:ec2::254]/', 'https://0/'],
    ...['http://shop.example/', 'ftp://shop.example/', 'file:///etc/passwd', 'javascript:alert(1)', 'shop.example'],
    ...['https://user:pass@shop.example/', 'https://user@shop.example/', '', 'https://'],
  ])('%s is refused', url => {
    expect(refusal(url, false)).not.toBeNull()
  })

  test.each(['https://shop.example/', 'https://shop.example:8443/a?b=c', 'https://8.8.8.8/'])('%s is not', url => {
    expect(refusal(url, false)).toBeNull()
  })

  test('for development http and private addresses may be allowed, and nothing else', () => {
    expect(refusal('http://127.0.0.1:9000/', true)).toBeNull()
    expect(refusal('ftp://127.0.0.1/', true)).not.toBeNull()
    expect(refusal('http://a:b@127.0.0.1/', true)).not.toBeNull()
  })
})
