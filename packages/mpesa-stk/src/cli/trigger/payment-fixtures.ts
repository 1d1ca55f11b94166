import type { TriggerFixture } from './fixture.ts'

/** What Safaricom posts about payments of customers. */
export const paymentFixtures: readonly TriggerFixture[] = [
  {
    name: 'stk-paid',
    about: 'an STK push was paid',
    from: 'stk-callback/result-0.json',
    body: {
      Body: {
        stkCallback: {
          MerchantRequestID: '5998-46a7-a4aa-5a37a83f21ad3833',
          CheckoutRequestID: 'ws_CO_17082026101502337708374149',
          ResultCode: 0,
          ResultDesc: 'The service request is processed successfully.',
          CallbackMetadata: {
            Item: [
              { Name: 'Amount', Value: 1 },
              { Name: 'MpesaReceiptNumber', Value: 'UHH0AB12CD' },
              { Name: 'Balance' },
              { Name: 'TransactionDate', Value: 20260817101513 },
              { Name: 'PhoneNumber', Value: 254708374149 },
            ],
          },
        },
      },
    },
  },
  {
    name: 'stk-cancelled',
    about: 'the customer dismissed the prompt (1032)',
    from: 'stk-callback/result-1032.json',
    body: {
      Body: {
        stkCallback: {
          MerchantRequestID: '5998-46a7-a4aa-5a37a83f21ad3850',
          CheckoutRequestID: 'ws_CO_17082026102010118708374149',
          ResultCode: 1032,
          ResultDesc: 'Request cancelled by user',
        },
      },
    },
  },
  {
    name: 'stk-timeout',
    about: 'the phone could not be reached (1037)',
    from: 'stk-callback/result-1037-ds-timeout.json',
    body: {
      Body: {
        stkCallback: {
          MerchantRequestID: '5998-46a7-a4aa-5a37a83f21ad3852',
          CheckoutRequestID: 'ws_CO_17082026102012118708374149',
          ResultCode: 1037,
          ResultDesc: 'DS timeout user cannot be reached.',
        },
      },
    },
  },
  {
    name: 'stk-insufficient-funds',
    about: 'too little money (1)',
    from: 'stk-callback/result-1.json',
    body: {
      Body: {
        stkCallback: {
          MerchantRequestID: '5998-46a7-a4aa-5a37a83f21ad3840',
          CheckoutRequestID: 'ws_CO_17082026102000118708374149',
          ResultCode: 1,
          ResultDesc: 'The balance is insufficient for the transaction.',
        },
      },
    },
  },
  {
    name: 'stk-wrong-pin',
    about: 'the wrong PIN (2001)',
    from: 'stk-callback/result-2001.json',
    body: {
      Body: {
        stkCallback: {
          MerchantRequestID: '5998-46a7-a4aa-5a37a83f21ad3854',
          CheckoutRequestID: 'ws_CO_17082026102014118708374149',
          ResultCode: 2001,
          ResultDesc: 'The initiator information is invalid.',
        },
      },
    },
  },
  {
    name: 'c2b-confirmation',
    about: 'a customer paid to the paybill',
    from: 'c2b/confirmation-v2-masked.json',
    body: {
      TransactionType: 'Pay Bill',
      TransID: 'UHH0AB12CD',
      TransTime: '20260817101513',
      TransAmount: '5.00',
      BusinessShortCode: '600984',
      BillRefNumber: 'invoice008',
      InvoiceNumber: '',
      OrgAccountBalance: '49197.00',
      ThirdPartyTransID: '',
      MSISDN: '2547 ***** 149',
      FirstName: 'JOHN',
      MiddleName: '',
      LastName: '',
    },
  },
  {
    name: 'c2b-validation',
    about: 'may this customer pay? Post it to /c2b/validation',
    from: 'c2b/validation-v2-masked.json',
    body: {
      TransactionType: 'Pay Bill',
      TransID: 'UHH0AB12CD',
      TransTime: '20260817101513',
      TransAmount: '5.00',
      BusinessShortCode: '600984',
      BillRefNumber: 'invoice008',
      InvoiceNumber: '',
      OrgAccountBalance: '',
      ThirdPartyTransID: '',
      MSISDN: '2547 ***** 149',
      FirstName: 'JOHN',
      MiddleName: '',
      LastName: '',
    },
  },
]
