import { acceptConnection } from '../shared/channel.js'
import { confirmIntent, createConfirmationToken, retrieveIntent } from './stripe-api.js'

acceptConnection({ retrieveIntent, confirmIntent, createConfirmationToken })
