/** Reads an event stream in whatever pieces it comes. Comments and fields other than `data` are passed over. */
export function createSseParser(onData: (data: string) => void): (text: string) => void {
  let rest = ''
  let data: string[] = []
  return text => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
      if (line === '' && data.length > 0) {
        onData(data.join('\n'))
        data = []
      } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    }
  }
}
