// ASVS 5.0.0, levels 1 and 2: V4 API and web service, V5 File handling, V8 Authorization, V9 Self-contained tokens, V10 OAuth.
import { done, notApplicable, type Row } from './row.ts'

const GRAPHQL = 'There is no GraphQL; Supabase’s is switched off with its extension.'
const SOCKET = 'There is no WebSocket.'
const UPLOAD = 'Nothing can be uploaded.'
const OAUTH = 'There is no OAuth: people sign in with Supabase Auth by password, from our server.'
const ISSUER = 'We issue no OAuth tokens.'
const POLICIES = 'supabase/migrations/20261121100200_payments.sql'

export const API_TO_TOKENS: readonly Row[] = [
  done('V4.1.1', 'Content-Type matches, with charset', 'lib/http.ts', 'H6'),
  done(
    'V4.1.2',
    'Pages are led to https, APIs are refused',
    'lib/edge/https.ts',
    '',
    'unit/edge › is believed from the nearest proxy only',
  ),
  done(
    'V4.1.3',
    'Headers of proxies cannot be forged',
    'lib/edge/client-address.ts lib/edge/https.ts',
    '',
    'unit/edge › is what the outermost trusted proxy saw',
    'integration/limits › a network is the /24 or /64',
  ),
  done(
    'V4.2.1',
    'Message boundaries are unambiguous',
    'lib/http.ts',
    'W7',
    'integration/http-messages › are refused before anything reads them',
  ),
  notApplicable('V4.3.1', 'GraphQL queries are limited', GRAPHQL),
  notApplicable('V4.3.2', 'GraphQL introspection is off', GRAPHQL),
  notApplicable('V4.4.1', 'WebSocket over TLS', SOCKET),
  notApplicable('V4.4.2', 'WebSocket checks Origin', SOCKET),
  notApplicable('V4.4.3', 'WebSocket has session tokens', SOCKET),
  notApplicable('V4.4.4', 'WebSocket tokens come from the session', SOCKET),

  notApplicable('V5.1.1', 'Documentation of uploads', UPLOAD),
  done('V5.2.1', 'Nothing larger is taken than can be processed', 'lib/http.ts', 'W7'),
  notApplicable('V5.2.2', 'Files are what they claim', UPLOAD),
  notApplicable('V5.2.3', 'Archives are limited', UPLOAD),
  notApplicable('V5.3.1', 'Uploaded files are never run', UPLOAD),
  notApplicable('V5.3.2', 'Paths are not made from input', 'No file is opened by a name that a client sent.'),
  done(
    'V5.4.1',
    'Names of downloads are ours',
    'app/api/payments/history/route.ts lib/http.ts',
    '',
    'integration/history › holds every payment of the person',
  ),
  notApplicable('V5.4.2', 'Names of downloads are encoded', 'They are constants.'),
  notApplicable('V5.4.3', 'Files from strangers are scanned', UPLOAD),

  done(
    'V8.1.1',
    'Documentation of who may call what and see what',
    'docs/architecture.md docs/decisions/2026-11-21-service-role.md',
    'T5',
  ),
  done(
    'V8.1.2',
    'Documentation of who may see and change which field',
    'docs/architecture.md supabase/migrations/20261121100200_payments.sql',
    'T5 Z5',
  ),
  done(
    'V8.2.1',
    'Functions only for those who may',
    'lib/edge/route-table.ts supabase/migrations/20261121100200_payments.sql',
    'Z1',
  ),
  done(
    'V8.2.2',
    'Data only for those it belongs to',
    POLICIES,
    'Z3 Z4',
    'integration/isolation › answers for somebody else',
  ),
  done('V8.2.3', 'Fields only for those who may', POLICIES, 'Z5'),
  done('V8.3.1', 'Enforced on the server and in the database', POLICIES, 'Z3 Z4 Z5'),
  notApplicable(
    'V8.4.1',
    'Tenants are kept apart',
    'There is one merchant; customers are kept apart by V8.2.2.',
  ),

  done(
    'V9.1.1',
    'Tokens are verified before they are believed',
    'lib/auth/session.ts',
    '',
    'integration/isolation › answers 401 without a session, with a broken one',
  ),
  done('V9.1.2', 'Algorithms from a list', 'lib/auth/session.ts', 'Z19'),
  done('V9.1.3', 'Keys from a known place', 'lib/auth/session.ts', 'Z19'),
  done('V9.2.1', 'Expired and early tokens are refused', 'lib/auth/session.ts', 'Z19'),
  done('V9.2.2', 'Tokens of another type are refused', 'lib/auth/session.ts', 'Z19'),
  done('V9.2.3', 'Tokens for another audience are refused', 'lib/auth/session.ts', 'Z19'),
  notApplicable(
    'V9.2.4',
    'Issued tokens name their audience',
    'Supabase Auth issues them, with one audience.',
  ),

  done(
    'V10.1.1',
    'Tokens go to the backend alone',
    'lib/edge/session-cookie.ts lib/supabase/server.ts',
    'A3 S-4',
  ),
  notApplicable('V10.1.2', 'A flow ends where it began', OAUTH),
  notApplicable('V10.2.1', 'The code flow is safe from forgery', OAUTH),
  notApplicable('V10.2.2', 'No mix-up of servers', OAUTH),
  done('V10.3.1', 'Access tokens for another audience are refused', 'lib/auth/session.ts', 'Z19'),
  done('V10.3.2', 'Decisions rest on the token’s claims', POLICIES, 'Z3'),
  done('V10.3.3', 'People are known by what cannot be given to another', POLICIES, 'Z3'),
  done('V10.3.4', 'Strength and age of sign-in are checked where they matter', 'lib/auth/session.ts', 'Z21'),
  ...[
    ['V10.4.1', 'Redirect addresses are compared exactly'],
    ['V10.4.2', 'A code is used once'],
    ['V10.4.3', 'A code is short-lived'],
    ['V10.4.4', 'Only needed grants'],
    ['V10.4.5', 'Refresh tokens cannot be replayed'],
    ['V10.4.6', 'PKCE is demanded'],
    ['V10.4.7', 'Registration of clients is safe'],
    ['V10.4.8', 'Refresh tokens expire for good'],
    ['V10.4.9', 'Tokens can be revoked by people'],
    ['V10.4.10', 'Confidential clients authenticate'],
    ['V10.4.11', 'Only needed scopes'],
    ['V10.5.1', 'ID tokens cannot be replayed'],
    ['V10.5.2', 'People are known by their subject'],
    ['V10.5.3', 'The issuer is the configured one'],
    ['V10.5.4', 'The audience is ours'],
    ['V10.5.5', 'Logout by back channel is safe'],
    ['V10.6.1', 'Only safe response modes'],
    ['V10.6.2', 'Nobody can be signed out by force'],
    ['V10.7.1', 'Consent is asked for'],
    ['V10.7.2', 'Consent says to what'],
    ['V10.7.3', 'Consent can be taken back'],
  ].map(([id = '', demand = '']) => notApplicable(id, demand, id.startsWith('V10.5') ? OAUTH : ISSUER)),
]
