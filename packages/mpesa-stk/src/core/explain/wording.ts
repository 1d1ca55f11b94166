import type { CatalogueApi, CatalogueRow, CodeCategory, FixableBy } from './catalogue/row.ts'

/** One sentence or a few, for the customer. Never a code, never blame, always the next step. */
export interface CustomerText {
  readonly en: string
  readonly sw: string
}

/** What the customer is doing: the same answer means another thing to one who pays than to one who is paid. */
type Situation = 'payment' | 'payout' | 'refund' | 'standing-order' | 'status-check' | 'back-office'

export const situationOf: Readonly<Record<CatalogueApi, Situation>> = {
  'stk-push': 'payment',
  'stk-callback': 'payment',
  'stk-query': 'payment',
  'c2b-register': 'back-office',
  'c2b-validation': 'payment',
  'c2b-confirmation': 'payment',
  b2c: 'payout',
  b2b: 'back-office',
  'transaction-status': 'status-check',
  reversal: 'refund',
  'account-balance': 'back-office',
  'async-result': 'status-check',
  'b2b-express': 'payment',
  ratiba: 'standing-order',
  'pull-register': 'back-office',
  'pull-query': 'status-check',
  'dynamic-qr': 'back-office',
  'bill-manager': 'back-office',
  'http-error': 'payment',
}

const shopSetUp: CustomerText = {
  en: "The shop's M-PESA set-up has a problem, so this payment could not be made. You cannot fix this from your phone: please tell the shop.",
  sw: 'Mipangilio ya M-PESA ya duka ina hitilafu, kwa hivyo malipo haya hayakufanyika. Huwezi kurekebisha hili kwenye simu yako: tafadhali lijulishe duka.',
}

/** A customer pays. Also for B2B Express, where the customer is another business. */
export const paymentTexts: Readonly<Record<CodeCategory, CustomerText>> = {
  success: {
    en: 'Your payment went through. Keep the M-PESA SMS as proof.',
    sw: 'Malipo yako yamekamilika. Hifadhi ujumbe wa M-PESA kama uthibitisho.',
  },
  'in-progress': {
    en: 'M-PESA is still working on this payment. If there is a request on your phone, enter your M-PESA PIN; otherwise please wait. Do not pay again.',
    sw: 'M-PESA bado inashughulikia malipo haya. Ikiwa kuna ombi kwenye simu yako, weka PIN yako ya M-PESA; la sivyo, tafadhali subiri. Usilipe tena.',
  },
  'insufficient-funds': {
    en: 'The M-PESA balance is too low for this payment. Add money to your M-PESA, then try again.',
    sw: 'Salio la M-PESA halitoshi kwa malipo haya. Weka pesa kwenye M-PESA yako, kisha jaribu tena.',
  },
  'limit-exceeded': {
    en: 'This amount is outside the limits that M-PESA allows. Ask the shop about another amount or another way to pay.',
    sw: 'Kiasi hiki kiko nje ya viwango vinavyoruhusiwa na M-PESA. Uliza duka kuhusu kiasi tofauti au njia nyingine ya kulipa.',
  },
  'customer-cancelled': {
    en: 'The payment request was closed before it was completed. If you still want to pay, try again and enter your M-PESA PIN.',
    sw: 'Ombi la malipo lilifungwa kabla halijakamilika. Kama bado ungependa kulipa, jaribu tena na uweke PIN yako ya M-PESA.',
  },
  'customer-unreachable': {
    en: 'M-PESA could not reach your phone or got no answer. Check that it is on and has network, then try again.',
    sw: 'M-PESA haikuweza kufikia simu yako au haikupata jibu. Hakikisha simu imewashwa na ina mtandao, kisha jaribu tena.',
  },
  'wrong-pin': {
    en: 'The M-PESA PIN was not accepted. Try again and enter your PIN carefully. Never give your PIN to anyone.',
    sw: 'PIN ya M-PESA haikukubaliwa. Jaribu tena na uweke PIN yako kwa makini. Usimpe mtu yeyote PIN yako.',
  },
  expired: {
    en: 'The payment request ran out of time. Try again, and enter your M-PESA PIN as soon as the request appears.',
    sw: 'Muda wa ombi la malipo uliisha kabla halijakamilika. Jaribu tena, na uweke PIN yako ya M-PESA mara tu ombi litakapotokea.',
  },
  'duplicate-or-busy': {
    en: 'M-PESA already has a request like this one. Do not pay again until the shop has checked.',
    sw: 'M-PESA tayari ina ombi kama hili. Usilipe tena hadi duka lihakikishe.',
  },
  'rate-limited': {
    en: 'Too many payment requests are being sent right now, and this one did not go out. Wait a few minutes, then try again.',
    sw: 'Maombi ya malipo ni mengi sana kwa sasa, na hili halikutumwa. Subiri dakika chache, kisha jaribu tena.',
  },
  auth: shopSetUp,
  configuration: shopSetUp,
  'invalid-request': {
    en: "The shop's payment request had a mistake in it, so this payment could not be made. Please tell the shop.",
    sw: 'Ombi la malipo kutoka kwa duka lilikuwa na kosa, kwa hivyo malipo haya hayakufanyika. Tafadhali lijulishe duka.',
  },
  system: {
    en: 'M-PESA had a problem and this payment was not completed. Wait a few minutes, then try again.',
    sw: 'M-PESA ilikuwa na hitilafu na malipo haya hayakukamilika. Subiri dakika chache, kisha jaribu tena.',
  },
  unknown: {
    en: 'We do not know yet whether this payment went through. Do not pay again until the shop has checked. If M-PESA sends you an SMS, keep it.',
    sw: 'Bado hatujui kama malipo haya yamekamilika. Usilipe tena hadi duka lihakikishe. M-PESA ikikutumia ujumbe, uhifadhi.',
  },
}

/** An HTTP error on an STK query: the question failed, the payment is where it was. */
export const queryFailedText: CustomerText = {
  en: 'The shop could not check your payment with M-PESA yet. Please wait, and do not pay again. If M-PESA sends you an SMS, keep it.',
  sw: 'Duka bado halijaweza kuthibitisha malipo yako na M-PESA. Tafadhali subiri, na usilipe tena. M-PESA ikikutumia ujumbe, uhifadhi.',
}

type Outcome = 'done' | 'unclear' | 'recipientCanFix' | 'failed'

const refundFailed: CustomerText = {
  en: 'The shop has not been able to return your money yet. You do not need to do anything on your phone: please ask the shop.',
  sw: 'Duka bado halijaweza kukurudishia pesa zako. Huhitaji kufanya chochote kwenye simu yako: tafadhali uliza duka.',
}

/** Where the customer is not the one who pays, four outcomes are all that he can use. */
export const outcomeTexts: Readonly<Record<Exclude<Situation, 'payment'>, Readonly<Record<Outcome, CustomerText>>>> = {
  payout: {
    done: {
      en: 'The shop has sent your money through M-PESA. You will get an M-PESA SMS when it arrives.',
      sw: 'Duka limetuma pesa zako kupitia M-PESA. Utapata ujumbe wa M-PESA pesa zikifika.',
    },
    unclear: {
      en: 'The shop is checking whether your money was sent. Keep any M-PESA SMS, and ask the shop if you need to know more.',
      sw: 'Duka linahakikisha kama pesa zako zimetumwa. Hifadhi ujumbe wowote wa M-PESA, na uulize duka ukihitaji maelezo.',
    },
    recipientCanFix: {
      en: 'The shop could not send the money to this number. Check with the shop that your M-PESA number is right and that your account can receive this amount.',
      sw: 'Duka halikuweza kutuma pesa kwa nambari hii. Hakikisha na duka kwamba nambari yako ya M-PESA ni sahihi na kwamba akaunti yako inaweza kupokea kiasi hiki.',
    },
    failed: {
      en: 'The shop has not been able to send you the money yet. You do not need to do anything on your phone: please ask the shop.',
      sw: 'Duka bado halijaweza kukutumia pesa. Huhitaji kufanya chochote kwenye simu yako: tafadhali uliza duka.',
    },
  },
  refund: {
    done: {
      en: 'The shop has asked M-PESA to return your money. You will get an M-PESA SMS when it arrives.',
      sw: 'Duka limeomba M-PESA ikurudishie pesa zako. Utapata ujumbe wa M-PESA pesa zikifika.',
    },
    unclear: {
      en: 'The shop is checking whether your money was returned. Keep any M-PESA SMS, and ask the shop if you need to know more.',
      sw: 'Duka linahakikisha kama pesa zako zimerudishwa. Hifadhi ujumbe wowote wa M-PESA, na uulize duka ukihitaji maelezo.',
    },
    recipientCanFix: refundFailed,
    failed: refundFailed,
  },
  'standing-order': {
    done: {
      en: 'Your standing order has been set up. Keep the M-PESA SMS as proof.',
      sw: 'Malipo yako ya kujirudia yamewekwa. Hifadhi ujumbe wa M-PESA kama uthibitisho.',
    },
    unclear: {
      en: 'M-PESA is working on your standing order. If there is a request on your phone, enter your M-PESA PIN; otherwise please wait.',
      sw: 'M-PESA inashughulikia malipo yako ya kujirudia. Ikiwa kuna ombi kwenye simu yako, weka PIN yako ya M-PESA; la sivyo, tafadhali subiri.',
    },
    recipientCanFix: {
      en: 'M-PESA got no answer from your phone. Check that it is on and has network, then ask the shop to send the standing order request again.',
      sw: 'M-PESA haikupata jibu kutoka kwa simu yako. Hakikisha simu imewashwa na ina mtandao, kisha omba duka litume tena ombi la malipo ya kujirudia.',
    },
    failed: {
      en: 'The standing order could not be set up. Please tell the shop.',
      sw: 'Malipo ya kujirudia hayakuweza kuwekwa. Tafadhali lijulishe duka.',
    },
  },
  'status-check': sameForEveryOutcome({
    en: 'The shop is checking this with M-PESA. Please wait for its answer, and do not pay again.',
    sw: 'Duka linathibitisha hili na M-PESA. Tafadhali subiri jibu lake, na usilipe tena.',
  }),
  'back-office': sameForEveryOutcome({
    en: "This is about the shop's own work with M-PESA. You do not need to do anything; if you are waiting for something, ask the shop.",
    sw: 'Hili linahusu kazi ya duka lenyewe na M-PESA. Huhitaji kufanya chochote; ikiwa unasubiri jambo fulani, uliza duka.',
  }),
}

function sameForEveryOutcome(text: CustomerText): Readonly<Record<Outcome, CustomerText>> {
  return { done: text, unclear: text, recipientCanFix: text, failed: text }
}

/** The key under which a row's own customer text may stand in `customerOverrides`. */
export function overrideKey(row: Pick<CatalogueRow, 'api' | 'code' | 'match'>): string {
  return row.match === undefined ? `${row.api} ${row.code}` : `${row.api} ${row.code} ${row.match}`
}

const busyPhone: CustomerText = {
  en: 'Your M-PESA is busy with another request. Finish or close it on your phone, wait a minute, then try again.',
  sw: 'M-PESA yako inashughulikia ombi lingine. Kamilisha au funga ombi hilo kwenye simu yako, subiri dakika moja, kisha jaribu tena.',
}

const promptNotSent: CustomerText = {
  en: 'M-PESA could not show the payment request on your phone. Wait a few minutes, then try again. If it happens again, tell the shop.',
  sw: 'M-PESA haikuweza kuonyesha ombi la malipo kwenye simu yako. Subiri dakika chache, kisha jaribu tena. Hali hii ikijirudia, lijulishe duka.',
}

const accountNotUsable: CustomerText = {
  en: 'Your M-PESA account cannot make this payment right now. Contact Safaricom customer care, or ask the shop about another way to pay.',
  sw: 'Akaunti yako ya M-PESA haiwezi kufanya malipo haya kwa sasa. Wasiliana na huduma kwa wateja ya Safaricom, au uliza duka kuhusu njia nyingine ya kulipa.',
}

const platformBusy: CustomerText = {
  en: 'M-PESA is very busy right now, and this payment was not made. Wait a few minutes, then try again.',
  sw: 'M-PESA ina shughuli nyingi kwa sasa, na malipo haya hayakufanyika. Subiri dakika chache, kisha jaribu tena.',
}

const notReached: CustomerText = {
  en: 'The shop could not reach M-PESA, so nothing was sent to your phone. Wait a few minutes, then try again.',
  sw: 'Duka halikuweza kufikia M-PESA, kwa hivyo hakuna ombi lililotumwa kwenye simu yako. Subiri dakika chache, kisha jaribu tena.',
}

/**
 * Better sentences than the category's, where they help a customer to act. A code of `stk-query` that has none here
 * uses the one of `stk-callback`.
 */
export const customerOverrides: Readonly<Record<string, CustomerText>> = {
  'stk-push 0': {
    en: 'A payment request is on its way to your phone. Enter your M-PESA PIN to complete it. Do not pay again while you wait.',
    sw: 'Ombi la malipo linatumwa kwenye simu yako. Weka PIN yako ya M-PESA ili ukamilishe malipo. Usilipe tena unaposubiri.',
  },
  'stk-push *': {
    en: 'M-PESA did not accept the payment request, so nothing was sent to your phone. Please tell the shop.',
    sw: 'M-PESA haikukubali ombi la malipo, kwa hivyo hakuna ombi lililotumwa kwenye simu yako. Tafadhali lijulishe duka.',
  },
  'stk-callback 2': {
    en: 'This amount is below the smallest M-PESA payment. Ask the shop to correct the amount.',
    sw: 'Kiasi hiki kiko chini ya kiwango cha chini cha malipo ya M-PESA. Omba duka lirekebishe kiasi hicho.',
  },
  'stk-callback 3': {
    en: 'This amount is above the largest single M-PESA payment. Ask the shop whether you can pay in parts or in another way.',
    sw: 'Kiasi hiki kinazidi kiwango cha juu cha malipo moja ya M-PESA. Uliza duka kama unaweza kulipa kwa awamu au kwa njia nyingine.',
  },
  'stk-callback 4': {
    en: 'This payment would pass your M-PESA limit for today. Pay a smaller amount, or pay on another day.',
    sw: 'Malipo haya yatapita kiwango chako cha M-PESA cha leo. Lipa kiasi kidogo zaidi, au lipa siku nyingine.',
  },
  'stk-callback 5': {
    en: 'This payment would leave too little in your M-PESA account. Add money to your M-PESA first, or ask the shop about a smaller amount.',
    sw: 'Malipo haya yataacha salio dogo kuliko inavyoruhusiwa kwenye akaunti yako ya M-PESA. Weka pesa kwanza, au uliza duka kuhusu kiasi kidogo zaidi.',
  },
  'stk-callback 8': {
    en: "The shop's M-PESA account cannot receive this amount right now. Please tell the shop, and ask about another way to pay.",
    sw: 'Akaunti ya M-PESA ya duka haiwezi kupokea kiasi hiki kwa sasa. Tafadhali lijulishe duka, na uulize kuhusu njia nyingine ya kulipa.',
  },
  'stk-callback 10': {
    en: 'This phone number is not registered for M-PESA. Ask the shop to use a number that is.',
    sw: 'Nambari hii ya simu haijasajiliwa kwa M-PESA. Omba duka litumie nambari iliyosajiliwa.',
  },
  'stk-callback 11': accountNotUsable,
  'stk-callback 17': {
    en: 'M-PESA does not take the same amount twice within two minutes. Look at your M-PESA messages: if you have already paid, there is nothing more to do. If not, wait two minutes, then try again.',
    sw: 'M-PESA haikubali malipo ya kiasi kile kile mara mbili ndani ya dakika mbili. Angalia ujumbe wako wa M-PESA: kama umeshalipa, huhitaji kufanya lolote. Kama bado, subiri dakika mbili, kisha jaribu tena.',
  },
  'stk-callback 26': platformBusy,
  'stk-callback 1001': busyPhone,
  'stk-callback 1025': promptNotSent,
  'stk-callback 1036': promptNotSent,
  'stk-callback 1037': {
    en: 'M-PESA could not reach your phone or got no answer. If an M-PESA message says that you paid, do not pay again. If not, check that your phone is on and has network, then try again. If this keeps happening, your SIM may be an old one: a Safaricom shop can check it.',
    sw: 'M-PESA haikuweza kufikia simu yako au haikupata jibu. Kama ujumbe wa M-PESA unasema umelipa, usilipe tena. Kama sivyo, hakikisha simu imewashwa na ina mtandao, kisha jaribu tena. Hali hii ikiendelea, huenda laini yako ni ya zamani: duka la Safaricom linaweza kuikagua.',
  },
  'stk-callback 8006': {
    en: 'Your M-PESA PIN is locked. Call Safaricom on 100 or 200 to unlock it, then ask the shop for a new payment request.',
    sw: 'PIN yako ya M-PESA imefungwa. Piga simu kwa Safaricom kupitia 100 au 200 ili ifunguliwe, kisha omba duka likutumie ombi jipya la malipo.',
  },
  'stk-callback 9999': promptNotSent,
  'stk-callback E3008': accountNotUsable,
  'stk-query 0': {
    en: 'M-PESA says that your payment went through, and the shop is waiting for the receipt number. Keep the M-PESA SMS, and do not pay again.',
    sw: 'M-PESA inasema malipo yako yamekamilika, na duka linasubiri nambari ya risiti. Hifadhi ujumbe wa M-PESA, na usilipe tena.',
  },
  'c2b-validation 0': {
    en: 'The shop has accepted your payment, and M-PESA is completing it. Wait for the M-PESA SMS, and do not pay again.',
    sw: 'Duka limekubali malipo yako, na M-PESA inayakamilisha. Subiri ujumbe wa M-PESA, na usilipe tena.',
  },
  'c2b-validation C2B00011': {
    en: 'The shop could not accept a payment from this phone number. Ask the shop which number to pay from.',
    sw: 'Duka halikuweza kukubali malipo kutoka kwa nambari hii ya simu. Uliza duka utumie nambari gani kulipa.',
  },
  'c2b-validation C2B00012': {
    en: 'The shop does not know this account number. Check the account number with the shop, then try again.',
    sw: 'Duka halitambui nambari hii ya akaunti. Hakikisha nambari ya akaunti na duka, kisha jaribu tena.',
  },
  'c2b-validation C2B00013': {
    en: 'The shop could not accept this amount. Check the amount with the shop, then try again.',
    sw: 'Duka halikuweza kukubali kiasi hiki. Hakikisha kiasi na duka, kisha jaribu tena.',
  },
  'c2b-validation C2B00014': {
    en: 'The shop could not match your details to this payment. Ask the shop which details it needs, then try again.',
    sw: 'Duka halikuweza kulinganisha maelezo yako na malipo haya. Uliza duka linahitaji maelezo gani, kisha jaribu tena.',
  },
  'c2b-validation C2B00015': {
    en: 'The shop could not accept a payment to this till or paybill number. Check the number with the shop, then try again.',
    sw: 'Duka halikuweza kukubali malipo kwa nambari hii ya till au paybill. Hakikisha nambari hiyo na duka, kisha jaribu tena.',
  },
  'c2b-validation C2B00016': {
    en: 'The shop could not accept this payment. Ask the shop what to correct, then try again.',
    sw: 'Duka halikuweza kukubali malipo haya. Uliza duka ni nini cha kurekebisha, kisha jaribu tena.',
  },
  'reversal R000001': {
    en: 'Your money was already returned. Look for the M-PESA SMS about it; if you cannot find it, ask the shop.',
    sw: 'Pesa zako zilisharudishwa. Tafuta ujumbe wa M-PESA kuhusu hilo; usipoupata, uliza duka.',
  },
  'http-error 500.001.1001 Unable to lock subscriber': busyPhone,
  'http-error 500.003.02 System is busy': platformBusy,
  'http-error HTML_503_INCAPSULA': platformBusy,
  'http-error NOT_SENT': notReached,
  'http-error HTML_403_INCAPSULA': notReached,
}

/** For the developer on call: whose move it is. */
export const whoActs: Readonly<Record<FixableBy, string>> = {
  customer: 'The customer can put it right.',
  developer: 'Your code or its settings must change.',
  merchant: 'The business must act, on its M-PESA account or on the Daraja portal.',
  safaricom: 'Only Safaricom can put it right.',
}

/** For the developer on call: what to do now. */
export const operatorAdvice: Readonly<Record<CodeCategory, string>> = {
  success: 'Nothing to repair.',
  'in-progress': 'This is not a result: keep the state as it is, ask again later, and do not start a second attempt.',
  'insufficient-funds': 'Let the owner of the paying account top it up, then make a new attempt.',
  'limit-exceeded':
    'Show which limit was met and offer another amount or another way to pay; do not repeat it unchanged.',
  'customer-cancelled': 'Offer the customer a new attempt; repair nothing.',
  'customer-unreachable':
    'Offer a new attempt once the phone is reachable; look at your network only if many phones fail at once.',
  'wrong-pin': 'Let the customer act before any new attempt, because repeated failures lock the PIN.',
  expired: 'Offer the customer a new attempt.',
  'duplicate-or-busy': 'Find out what became of the earlier request before you send another.',
  'rate-limited': 'Slow down, back off with jitter, and let one process send for the whole fleet.',
  auth: 'Stop sending until the token, passkey or operator credential is checked, and alarm: every payment meets this.',
  configuration:
    'Compare shortcode, till, transaction type, product and permissions with what was approved at go-live.',
  'invalid-request': 'Correct the request; the same body will fail the same way.',
  system: 'Wait and watch for more of the same; repair nothing on your side until it repeats.',
  unknown: 'Keep the code with the raw answer and ask Safaricom before you act on it.',
}

/** For `auth` answers where only a new token may be missing: the gateway refused before it processed anything. */
export const tokenAdvice =
  'Drop the cached token, mint one and send once more; if it fails again, check key, secret and environment.'

/** Instead of the category's advice wherever the answer leaves open whether money moved. */
export const unclearAdvice =
  'The outcome is open: find out from a callback, a status query or the statement before you fail it or send it again.'

/** An HTTP error on an STK query. */
export const queryFailedAdvice =
  'This is about the query, not about the payment: leave the payment as it is and ask again later.'
