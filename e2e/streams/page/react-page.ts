import { PaymentsProvider, usePayment, usePaymentStream } from 'mpesa-stk-client/react'
import { createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

// What a merchant's page looks like: the total above, the receipt below, and neither knows of the other.

type Page = typeof globalThis & {
  readonly location: { readonly search: string }
  readonly document: { getElementById(id: string): Parameters<typeof createRoot>[0] | null }
}

const page = globalThis as Page
const query = new URLSearchParams(page.location.search)
const paymentId = query.get('payments') ?? ''

function Status() {
  const { payment } = usePayment(paymentId)
  return createElement('p', { id: 'status' }, payment?.status ?? 'nothing yet')
}

function Receipt() {
  const { payment } = usePayment(paymentId)
  return createElement('p', { id: 'receipt' }, payment?.receipt ?? 'no receipt')
}

function History() {
  const { events } = usePaymentStream(`payment:${paymentId}`)
  return createElement('p', { id: 'history' }, events.map(({ type }) => type).join(' '))
}

async function getToken() {
  const response = await fetch(`token?streams=payment:${paymentId}`)
  return (await response.json()) as { token: string; ttlMs: number }
}

const root = page.document.getElementById('root')
if (root !== null) {
  const parts = [Status, Receipt, History].map(part => createElement(part, { key: part.name }))
  const provider = createElement(PaymentsProvider, { url: query.get('relay') ?? '', getToken }, parts)
  createRoot(root).render(createElement(StrictMode, null, provider))
}
