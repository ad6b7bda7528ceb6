// ASVS 5.0.0, levels 1 and 2: V11 Cryptography, V12 Secure communication, V13 Configuration.
import { done, notApplicable, planned, type Row } from './row.ts'

const NO_ENCRYPTION = 'The app encrypts nothing itself: TLS and the providers’ disks do.'
const PLATFORM = 'The platform in front of the app ends TLS; not proven here.'
const OPEN_LINE = 'unit/env › refuses an open line to another machine'

export const CRYPTOGRAPHY_TO_CONFIGURATION: readonly Row[] = [
  done('V11.1.1', 'Keys are managed by a policy', 'docs/security/rotation.md', 'T5 S-10'),
  done('V11.1.2', 'An inventory of keys, algorithms and certificates', 'docs/security/encryption.md', 'T5'),
  done(
    'V11.2.1',
    'Only proven implementations',
    'lib/stripe/webhook.ts lib/auth/require-cron.ts',
    'W1',
    'integration/outages › refuses the jobs without their secret',
  ),
  done(
    'V11.2.2',
    'Keys and algorithms can be replaced',
    'lib/stripe/webhook.ts lib/auth/require-cron.ts',
    'S-10 W5',
  ),
  done('V11.2.3', '128 bits or more', 'lib/env.ts docs/security/encryption.md', 'T5 S-1'),
  notApplicable('V11.3.1', 'No weak block modes', NO_ENCRYPTION),
  notApplicable('V11.3.2', 'Only approved ciphers', NO_ENCRYPTION),
  notApplicable('V11.3.3', 'Encrypted data cannot be changed unnoticed', NO_ENCRYPTION),
  done('V11.4.1', 'Only approved hashes', 'lib/audit/seal.ts lib/stripe/webhook.ts', 'D2 W1'),
  notApplicable('V11.4.2', 'Passwords are hashed slowly', 'Supabase Auth keeps them, with bcrypt.'),
  done(
    'V11.4.3',
    'Hashes that prove integrity are long enough',
    'supabase/migrations/20261121120000_audit_seals.sql',
    'D2',
  ),
  notApplicable('V11.4.4', 'Keys from passwords are stretched', 'No key is made from a password.'),
  done(
    'V11.5.1',
    'What must not be guessed is random enough',
    'middleware.ts lib/api-keys/secret.ts',
    'H1',
    'integration/api-keys › is shown once, and is nowhere in the database',
  ),
  notApplicable(
    'V11.6.1',
    'Approved key generation and signatures',
    'Supabase and the platform make the keys.',
  ),

  planned('V12.1.1', 'TLS 1.2 and 1.3 only', PLATFORM),
  planned('V12.1.2', 'Strong ciphers only', PLATFORM),
  notApplicable('V12.1.3', 'Client certificates are verified', 'There are none.'),
  done(
    'V12.2.1',
    'TLS for everything from outside, without falling back',
    'lib/edge/https.ts lib/env.ts next.config.js',
    '',
    'unit/edge › is believed from the nearest proxy only',
    OPEN_LINE,
  ),
  planned('V12.2.2', 'Publicly trusted certificates', PLATFORM),
  done('V12.3.1', 'TLS to every provider', 'lib/env.ts', '', OPEN_LINE),
  done('V12.3.2', 'Certificates are verified', 'lib/env.ts', '', OPEN_LINE),
  done('V12.3.3', 'TLS between parts of the product', 'lib/env.ts', '', OPEN_LINE),
  done('V12.3.4', 'Own certificates are trusted by name only', 'docs/deploy.md lib/env.ts', '', OPEN_LINE),

  done(
    'V13.1.1',
    'Documentation of who talks to whom',
    'docs/architecture.md docs/security/threat-model.md',
    'T5',
  ),
  done(
    'V13.2.1',
    'Parts of the backend authenticate',
    'lib/auth/require-cron.ts lib/env.ts',
    'R6 S-10',
    'integration/outages › refuses the jobs without their secret',
  ),
  done(
    'V13.2.2',
    'With the least rights',
    'supabase/migrations/20261121100000_roles_and_schemas.sql docs/deploy.md',
    'S-3',
    'integration/database-privileges › payments_service may execute functions',
  ),
  done('V13.2.3', 'No default credentials', 'lib/env.ts sandbox/secrets.ts', 'S-1 S-2 S-11'),
  planned(
    'V13.2.4',
    'A list of whom the app may talk to',
    'Addresses come from settings alone and redirects are refused; the platform’s own list is operations.',
    'lib/env.ts lib/stripe/server.ts',
  ),
  planned(
    'V13.2.5',
    'The server enforces such a list',
    'Operations: the platform’s rules for outgoing requests.',
  ),
  planned(
    'V13.3.1',
    'Secrets in a vault, none in what is built',
    'None in what is built (S-4) or in the repository (S-6); the vault is the platform’s.',
    'docs/security/rotation.md',
  ),
  done(
    'V13.3.2',
    'Few may see secrets',
    'docs/security/rotation.md supabase/migrations/20261121100000_roles_and_schemas.sql',
    'S-3 S-4',
  ),
  done('V13.4.1', 'No .git can be fetched', 'next.config.js', 'S-11'),
  done('V13.4.2', 'No debug mode in production', 'lib/env.ts next.config.js', 'S-11'),
  done('V13.4.3', 'No directory listings', 'next.config.js', 'S-11'),
  done(
    'V13.4.4',
    'No TRACE',
    'lib/edge/route-table.ts',
    '',
    'integration/http-messages › are not echoed: TRACE and CONNECT',
  ),
  done('V13.4.5', 'No documentation or monitoring in the open', 'docs/security/inventory.md', 'S-11 S-12'),
]
