'use client'

import {
  createContext,
  createElement,
  type ReactNode,
  useCallback,
  useContext,
  useMemo,
  useRef,
  useSyncExternalStore,
} from 'react'
import { connectPayments, type GetToken, type PaymentsClient } from './index.ts'
import { peekStream, type StreamSnapshot, shareStream, unreadStream } from './shared-stream.ts'

const Payments = createContext<PaymentsClient | null>(null)

export type PaymentsProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: PaymentsClient }
  | { readonly client?: undefined; readonly url: string; readonly getToken: GetToken }
)

/** Gives the components below one client. It connects when the first of them asks, and in a browser only. */
export function PaymentsProvider(props: PaymentsProviderProps): ReactNode {
  const latest = useRef(props)
  // The newest `getToken` serves: a parent often makes another one each time it renders.
  latest.current = props
  const given = props.client
  const url = given ? '' : props.url
  const value = useMemo(() => {
    const getToken: GetToken = async () => ('getToken' in latest.current ? latest.current.getToken() : '')
    return given ?? connectPayments({ url, getToken })
  }, [given, url])
  return createElement(Payments.Provider, { value }, props.children)
}

export type UsedPayment = Omit<StreamSnapshot, 'events'>
export type UsedStream = Omit<StreamSnapshot, 'payment'>

/** A payment as it stands. Null while there is none yet. */
export function usePayment(paymentId: string | null): UsedPayment {
  return useStream(paymentId === null ? null : `payment:${paymentId}`)
}

/** What happens in a stream: `source` is every payment of the app. */
export function usePaymentStream(stream: string): UsedStream {
  return useStream(stream)
}

/** A server renders what nobody has read yet, and so does a browser's first render: they agree. */
function useStream(stream: string | null): StreamSnapshot {
  const client = useContext(Payments)
  if (!client) throw new TypeError('there is no PaymentsProvider around this')
  const unread = useMemo(() => unreadStream(stream), [stream])
  const subscribe = useCallback(
    (listener: () => void) => (stream === null ? () => {} : shareStream(client, stream, listener)),
    [client, stream],
  )
  const read = useCallback(() => (stream && peekStream(client, stream)) || unread, [client, stream, unread])
  return useSyncExternalStore(subscribe, read, () => unread)
}
