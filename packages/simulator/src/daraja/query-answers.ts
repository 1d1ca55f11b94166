/**
 * Scripted answers to an STK query, beside the gateway errors that they share with pushes. Anything else in
 * `queryAnswers` is a final result code.
 */
export const queryAnswerNames = [
  'processing', // HTTP 500 500.001.1001 "The transaction is being processed"
  '4999', // HTTP 200, ResultCode "4999"
  'invalid', // HTTP 400 400.002.02 "Bad Request - Invalid CheckoutRequestID"
  '429', // Apigee spike arrest
  'incapsula-403',
  'incapsula-503',
  '500-html',
  '200-html',
  '500.003.02',
  '404.001.03',
  'lost', // the connection is destroyed without an answer
  'timeout', // the connection is held open for a minute, then destroyed
] as const
