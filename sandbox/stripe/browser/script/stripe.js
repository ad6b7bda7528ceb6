import { initCheckoutElementsSdk } from './checkout-elements.js'
import { PAYMENT, SETUP } from './client-secret.js'
import { confirmCard, confirmPayment, confirmSetup, retrieveIntent } from './confirm-intent.js'
import { createConfirmationToken, createPaymentMethod } from './create-from-elements.js'
import { createElements } from './elements.js'
import { IntegrationError, notInStandIn } from './errors.js'
import { handleNextAction } from './next-action.js'

/** Methods of Stripe.js that answer with a promise and are not built here: they reject, so nothing seems to work. */
const MISSING_ASYNC = [
  'collectBankAccountForPayment',
  'collectBankAccountForSetup',
  'createEmbeddedCheckoutPage',
  'createRadarSession',
  'createSource',
  'createToken',
  'handleCardAction',
  'retrieveSource',
  'verifyMicrodepositsForPayment',
  'verifyMicrodepositsForSetup',
]
const MISSING_SYNC = ['initCheckoutFormSdk', 'paymentRequest']

function Stripe(publishableKey, options = {}) {
  checkKey(publishableKey)
  if (options.stripeAccount) throw notInStandIn('Stripe Connect (`stripeAccount`)')

  const stripe = {
    elements: (elementsOptions) => createElements(publishableKey, elementsOptions),
    confirmPayment: (confirmOptions) => confirmPayment(publishableKey, confirmOptions),
    confirmSetup: (confirmOptions) => confirmSetup(publishableKey, confirmOptions),
    confirmCardPayment: (...rest) => confirmCard(publishableKey, PAYMENT, ...rest),
    confirmCardSetup: (...rest) => confirmCard(publishableKey, SETUP, ...rest),
    createPaymentMethod: (createOptions) => createPaymentMethod(publishableKey, createOptions),
    createConfirmationToken: (createOptions) => createConfirmationToken(publishableKey, createOptions),
    initCheckoutElementsSdk: (sdkOptions) => initCheckoutElementsSdk(publishableKey, sdkOptions),
    handleNextAction: (actionOptions) => handleNextAction(publishableKey, actionOptions),
    retrievePaymentIntent: (clientSecret) => retrieveIntent(publishableKey, clientSecret, PAYMENT),
    retrieveSetupIntent: (clientSecret) => retrieveIntent(publishableKey, clientSecret, SETUP),
    // Stripe counts which wrappers and plugins are in use; here there is nobody to tell.
    registerAppInfo() {},
    _registerWrapper() {},
  }
  for (const name of MISSING_ASYNC) {
    stripe[name] = async () => {
      throw notInStandIn(`stripe.${name}()`)
    }
  }
  for (const name of MISSING_SYNC) {
    stripe[name] = () => {
      throw notInStandIn(`stripe.${name}()`)
    }
  }
  return stripe
}

function checkKey(key) {
  if (typeof key === 'string' && /^(sk|rk)_/.test(key)) {
    throw new IntegrationError(
      'You should not use your secret key with Stripe.js. Please pass a publishable key instead.',
    )
  }
  if (typeof key !== 'string' || !key.startsWith('pk_test_')) {
    throw new IntegrationError('The local Stripe stand-in only accepts publishable test keys (pk_test_…).')
  }
}

/** The release train that @stripe/stripe-js compares with its own. */
Stripe.version = 'endive'
window.Stripe = Stripe
