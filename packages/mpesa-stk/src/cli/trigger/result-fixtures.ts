import type { TriggerFixture } from './fixture.ts'

/** What Safaricom posts about payments of the organisation, its queries, standing orders and B2B express. */
export const resultFixtures: readonly TriggerFixture[] = [
  {
    name: 'b2c-paid',
    about: 'a payment to a customer arrived',
    from: 'result/b2c-success.json',
    body: {
      Result: {
        ResultType: 0,
        ResultCode: 0,
        ResultDesc: 'The service request is processed successfully.',
        OriginatorConversationID: 'acme-2026-000017',
        ConversationID: 'AG_20260817_2010c4e1b7a95f03d862',
        TransactionID: 'UHH0EF34GH',
        ResultParameters: {
          ResultParameter: [
            { Key: 'TransactionAmount', Value: 10 },
            { Key: 'TransactionReceipt', Value: 'UHH0EF34GH' },
            { Key: 'ReceiverPartyPublicName', Value: '254708374149 - JOHN DOE' },
            { Key: 'TransactionCompletedDateTime', Value: '17.08.2026 10:15:13' },
            { Key: 'B2CUtilityAccountAvailableFunds', Value: 8959269.6 },
            { Key: 'B2CWorkingAccountAvailableFunds', Value: 1199371 },
            { Key: 'B2CRecipientIsRegisteredCustomer', Value: 'Y' },
            { Key: 'B2CChargesPaidAccountAvailableFunds', Value: -1980 },
          ],
        },
        ReferenceData: { ReferenceItem: { Key: 'QueueTimeoutURL', Value: 'https://shop.example/timeout' } },
      },
    },
  },
  {
    name: 'b2c-failed',
    about: 'a payment to a customer failed: too little in the Utility account (1)',
    from: 'result/b2c-failure-1.json',
    body: {
      Result: {
        ResultType: 0,
        ResultCode: 1,
        ResultDesc: 'The balance is insufficient for the transaction.',
        OriginatorConversationID: 'acme-2026-000017',
        ConversationID: 'AG_20260817_2010c4e1b7a95f03d862',
        TransactionID: 'UHH0EF34GH',
        ReferenceData: { ReferenceItem: { Key: 'QueueTimeoutURL', Value: 'https://shop.example/timeout' } },
      },
    },
  },
  {
    name: 'b2b-paid',
    about: 'a payment to another business arrived',
    from: 'result/b2b-success.json',
    body: {
      Result: {
        ResultType: '0',
        ResultCode: '0',
        ResultDesc: 'The service request is processed successfully.',
        OriginatorConversationID: 'acme-2026-000017',
        ConversationID: 'AG_20260817_2010c4e1b7a95f03d862',
        TransactionID: 'UHH0EF34GH',
        ResultParameters: {
          ResultParameter: [
            {
              Key: 'DebitAccountBalance',
              Value: '{Amount={CurrencyCode=KES, MinimumAmount=618683, BasicAmount=6186.83}}',
            },
            { Key: 'Amount', Value: '190.00' },
            { Key: 'DebitPartyAffectedAccountBalance', Value: 'Working Account|KES|346568.83|6186.83|340382.00|0.00' },
            { Key: 'TransCompletedTime', Value: '20260817110717' },
            { Key: 'DebitPartyCharges', Value: '' },
            { Key: 'ReceiverPartyPublicName', Value: '600000 - Example Supplier' },
            { Key: 'Currency', Value: 'KES' },
            {
              Key: 'InitiatorAccountCurrentBalance',
              Value: '{Amount={CurrencyCode=KES, MinimumAmount=618683, BasicAmount=6186.83}}',
            },
          ],
        },
        ReferenceData: {
          ReferenceItem: [
            { Key: 'BillReferenceNumber', Value: '19008' },
            { Key: 'QueueTimeoutURL', Value: 'https://shop.example/timeout' },
          ],
        },
      },
    },
  },
  {
    name: 'status-completed',
    about: 'a status query: that transaction is Completed',
    from: 'result/status-completed.json',
    body: {
      Result: {
        ResultType: 0,
        ResultCode: 0,
        ResultDesc: 'The service request is processed successfully.',
        OriginatorConversationID: 'acme-2026-000017',
        ConversationID: 'AG_20260817_2010c4e1b7a95f03d862',
        TransactionID: 'UHH0000000',
        ResultParameters: {
          ResultParameter: [
            { Key: 'DebitPartyName', Value: '254708374149 - JOHN DOE' },
            { Key: 'CreditPartyName', Value: '600984 - Example Shop' },
            { Key: 'OriginatorConversationID', Value: 'acme-2026-000017' },
            { Key: 'InitiatedTime', Value: 20260817101502 },
            { Key: 'DebitAccountType', Value: 'MMF Account For Customer' },
            { Key: 'DebitPartyCharges', Value: 'Fee For B2C Payment|KES|22.40' },
            { Key: 'TransactionReason' },
            { Key: 'ReasonType', Value: 'Pay Bill Online' },
            { Key: 'TransactionStatus', Value: 'Completed' },
            { Key: 'FinalisedTime', Value: 20260817101513 },
            { Key: 'Amount', Value: '300' },
            { Key: 'ConversationID', Value: 'AG_20260817_2010c4e1b7a95f03d862' },
            { Key: 'ReceiptNo', Value: 'UHH0AB12CD' },
          ],
        },
        ReferenceData: { ReferenceItem: { Key: 'Occasion' } },
      },
    },
  },
  {
    name: 'reversal-done',
    about: 'a payment was reversed',
    from: 'result/reversal-success.json',
    body: {
      Result: {
        ResultType: '0',
        ResultCode: '0',
        ResultDesc: 'The service request is processed successfully.',
        OriginatorConversationID: 'acme-2026-000017',
        ConversationID: 'AG_20260817_2010c4e1b7a95f03d862',
        TransactionID: 'UHH0JK56LM',
        ResultParameters: {
          ResultParameter: [
            { Key: 'DebitAccountBalance', Value: 'Utility Account|KES|51661.00|51661.00|0.00|0.00' },
            { Key: 'Amount', Value: 100 },
            { Key: 'TransCompletedTime', Value: 20260817112105 },
            { Key: 'OriginalTransactionID', Value: 'UHH0AB12CD' },
            { Key: 'Charge', Value: 0 },
            { Key: 'CreditPartyPublicName', Value: '254708374149 - JOHN DOE' },
            { Key: 'DebitPartyPublicName', Value: '600984 - Example Shop' },
          ],
        },
        ReferenceData: { ReferenceItem: { Key: 'QueueTimeoutURL', Value: 'https://shop.example/timeout' } },
      },
    },
  },
  {
    name: 'balance',
    about: 'a balance query',
    from: 'result/balance-success.json',
    body: {
      Result: {
        ResultType: '0',
        ResultCode: '0',
        ResultDesc: 'The service request is processed successfully.',
        OriginatorConversationID: 'acme-2026-000017',
        ConversationID: 'AG_20260817_2010c4e1b7a95f03d862',
        TransactionID: 'UHH0000000',
        ResultParameters: {
          ResultParameter: [
            {
              Key: 'AccountBalance',
              Value:
                'Working Account|KES|700000.00|700000.00|0.00|0.00&Utility Account|KES|228037.00|228037.00|0.00|0.00&Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00',
            },
            { Key: 'BOCompletedTime', Value: 20260817112105 },
          ],
        },
        ReferenceData: { ReferenceItem: { Key: 'QueueTimeoutURL', Value: 'https://shop.example/timeout' } },
      },
    },
  },
  {
    name: 'ratiba-created',
    about: 'a standing order was made',
    from: 'ratiba/callback-success.json',
    body: {
      responseHeader: {
        responseRefID: '0acc0239-20fa-4a52-8b9d-9bd64c0465c3',
        requestRefID: '0acc0239-20fa-4a52-8b9d-9bd64c0465c3',
        responseCode: '0',
        responseDescription: 'The service request is processed successfully',
      },
      responseBody: {
        responseData: [
          { name: 'TransactionID', value: 'UHH0ST89UV' },
          { name: 'responseCode', value: '0' },
          { name: 'Status', value: 'OKAY' },
          { name: 'Msisdn', value: '254******149' },
        ],
      },
    },
  },
  {
    name: 'b2b-express-paid',
    about: 'a B2B express checkout was paid',
    from: 'b2b-express/callback-success.json',
    body: {
      resultCode: '0',
      resultDesc: 'The service request is processed successfully.',
      amount: '71.0',
      requestId: 'c2a9be32-9e11-4c90-892c-7bc54944609b',
      resultType: '0',
      conversationID: 'AG_20260817_2010c4e1b7a95f03d862',
      transactionId: 'UHH0NP67QR',
      status: 'SUCCESS',
    },
  },
  {
    name: 'b2b-express-cancelled',
    about: 'a B2B express checkout was cancelled (4001)',
    from: 'b2b-express/callback-4001.json',
    body: {
      resultCode: '4001',
      resultDesc: 'User cancelled transaction',
      requestId: 'c2a9be32-9e11-4c90-892c-7bc54944609b',
      amount: '71.0',
      paymentReference: 'INV-0042',
    },
  },
]
