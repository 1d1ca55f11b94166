import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSseParser } from './sse-parser.ts'

const stream = ': here\n\nid: e1.1\ndata: {"a":1}\n\ndata:{"b":\ndata: 2}\r\n\r\nevent: x\n\ndata: half'

test('reads the same in whatever pieces it comes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), cuts => {
      const heard: string[] = []
      const parse = createSseParser(data => heard.push(data))
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length]
      places.slice(1).forEach((end, index) => {
        parse(stream.slice(places[index], end))
      })
      expect(heard).toEqual(['{"a":1}', '{"b":\n2}'])
    }),
  )
})
