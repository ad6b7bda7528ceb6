/**
 * The session as pages see it, out of what the server says (`view`) and what was entered in the page (`entered`). What the
 * stand-in does not have (tax, shipping, currencies to choose from, saved cards) is empty.
 */
export function checkoutSession(view, { email, isPaymentComplete }) {
  const amount = amountsIn(view)
  const open = view.status === 'open'
  const shownEmail = view.email ?? email
  return {
    id: view.id,
    livemode: view.livemode,
    status: open || view.status === 'expired' ? { type: view.status } : completed(view),
    canConfirm: open && shownEmail !== null && (isPaymentComplete || !view.needs_payment_method),
    email: shownEmail,
    currency: view.currency,
    minorUnitsAmountDivisor: 10 ** view.currency_exponent,
    lineItems: view.line_items.map((item) => lineItem(item, amount)),
    recurring: recurring(view, amount),
    total: {
      subtotal: amount(view.amount_subtotal ?? 0),
      discount: amount(view.amount_discount),
      // What is due now: in a trial that is nothing of the subscription.
      total: amount(view.amount_due),
      appliedBalance: amount(0),
      balanceAppliedToNextInvoice: false,
      shippingRate: amount(0),
      surcharge: amount(0),
      taxExclusive: amount(0),
      taxInclusive: amount(0),
    },
    lastPaymentError: view.last_payment_error && { message: view.last_payment_error.message },
    tax: { status: 'ready' },
    shippingOptions: [],
    billingAddress: null,
    businessName: null,
    currencyOptions: null,
    discountAmounts: null,
    nameCollection: null,
    optionalItems: null,
    phoneNumber: null,
    savedPaymentMethods: null,
    shipping: null,
    shippingAddress: null,
    surcharge: null,
    taxAmounts: null,
    taxIdInfo: null,
  }
}

function completed({ payment_status }) {
  return { type: 'complete', paymentStatus: payment_status }
}

function amountsIn({ currency, currency_exponent: digits }) {
  const format = new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return (minorUnitsAmount) => ({ minorUnitsAmount, amount: format.format(minorUnitsAmount / 10 ** digits) })
}

function lineItem(item, amount) {
  return {
    id: item.id,
    name: item.description ?? '',
    description: null,
    priceId: item.price ?? '',
    quantity: item.quantity ?? 1,
    unitAmount: amount(item.unit_amount ?? 0),
    subtotal: amount(item.amount_subtotal),
    discount: amount(item.amount_discount),
    total: amount(item.amount_total),
    taxExclusive: amount(0),
    taxInclusive: amount(0),
    recurring: item.recurring && {
      interval: item.recurring.interval,
      intervalCount: item.recurring.interval_count,
      usageType: item.recurring.usage_type,
    },
    images: [],
    isRemovable: false,
    adjustableQuantity: null,
    discountAmounts: null,
    pricing: null,
    taxAmounts: null,
    transformQuantity: null,
    unitAmountDecimal: null,
    unitLabel: null,
  }
}

/** What a subscription costs each period, with the discounts of the first one. Null for other sessions. */
function recurring(view, amount) {
  const items = view.line_items.filter((item) => item.recurring)
  const [first] = items
  if (!first) return null
  const sum = (name) => amount(items.reduce((total, item) => total + item[name], 0))
  return {
    interval: first.recurring.interval,
    intervalCount: first.recurring.interval_count,
    isProrated: false,
    dueNext: {
      subtotal: sum('amount_subtotal'),
      discount: sum('amount_discount'),
      total: sum('amount_total'),
      taxExclusive: amount(0),
      taxInclusive: amount(0),
      billingCycleAnchor: null,
    },
    trial: view.trial_days === null ? null : trialOf(view.trial_days),
  }
}

function trialOf(days) {
  const secondsPerDay = 24 * 60 * 60
  return { trialPeriodDays: days, trialEnd: Math.floor(Date.now() / 1000) + days * secondsPerDay }
}
