// The program reads its variables as `process.env.NAME`; our compiler options allow that for names that are declared.
declare namespace NodeJS {
  interface ProcessEnv {
    DATABASE_URL?: string
    MPESA_CONSUMER_KEY?: string
    MPESA_CONSUMER_SECRET?: string
    MPESA_SHORTCODE?: string
    MPESA_PASSKEY?: string
    MPESA_CALLBACK_URL?: string
    MPESA_BASE_URL?: string
    MPESA_RELAY_SECRET?: string
  }
}
