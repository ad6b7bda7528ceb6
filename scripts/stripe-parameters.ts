// Writes the list of parameters that Stripe knows, from the types of the installed stripe package. Run it after an update of that package.
import { writeFileSync } from 'node:fs'
import { loadContract } from '../sandbox/stripe/contract/load.ts'
import { parameterFile } from '../sandbox/stripe/contract/parameter-names.ts'
import { KNOWN_PARAMETERS_FILE } from '../sandbox/stripe/http/known-parameters.ts'

const contract = await loadContract()
writeFileSync(KNOWN_PARAMETERS_FILE, parameterFile(contract))
console.log(`${Object.keys(contract.operations).length} operations, from ${contract.derivedFrom}`)
