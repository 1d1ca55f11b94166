// What the pages load as /live/live.js: the client, and what they decide without a screen.
export { createPaymentView, reducePayment } from 'mpesa-stk-client'
export { listen } from './listen.ts'
export { createTillBook, nairobiDay } from './till-book.ts'
