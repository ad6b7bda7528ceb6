import { acceptConnection } from '../shared/channel.js'
import { confirmPaymentIntent, retrievePaymentIntent } from './stripe-api.js'

acceptConnection({ retrievePaymentIntent, confirmPaymentIntent })
