import { acceptConnection } from '../shared/channel.js'
import {
  confirmCheckout,
  confirmIntent,
  createConfirmationToken,
  retrieveCheckout,
  retrieveIntent,
} from './stripe-api.js'

acceptConnection({
  retrieveIntent,
  confirmIntent,
  createConfirmationToken,
  retrieveCheckout,
  confirmCheckout,
})
