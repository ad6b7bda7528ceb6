/** ISO 3166-1 codes of the countries a billing address may be in. */
const CODES =
  'AD AE AF AG AI AL AM AO AQ AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CD CF CG CH CI CK CL CM CN CO CR CV CW CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IS IT JE JM JO JP KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PY QA RE RO RS RU RW SA SB SC SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VN VU WF WS XK YE YT ZA ZM ZW'

/** Fills a select with countries by name; `allowed` narrows them down. It starts at the browser's region. */
export function fillCountries(select, allowed) {
  const names = new Intl.DisplayNames(['en'], { type: 'region' })
  const codes = CODES.split(' ').filter((code) => !allowed || allowed.includes(code))
  const countries = codes.map((code) => ({ code, name: names.of(code) }))
  countries.sort((a, b) => a.name.localeCompare(b.name, 'en'))
  select.replaceChildren(...countries.map(({ code, name }) => new Option(name, code)))
  const region = new Intl.Locale(navigator.language).maximize().region ?? 'US'
  select.value = codes.includes(region) ? region : (countries[0]?.code ?? '')
}

/** The country list. It starts at the element's default, then the browser's region, and is hidden when the page asks for that. */
export function createCountryField() {
  const select = document.getElementById('country')
  fillCountries(select)

  let shown = true
  let usedDefault
  return {
    /** `askedElsewhere`: an Address Element of the same group asks for the billing address. */
    configure(options = {}, askedElsewhere = false) {
      shown = !askedElsewhere && isShown(options.fields?.billingDetails)
      document.getElementById('country-field').hidden = !shown
      const wanted = options.defaultValues?.billingDetails?.address?.country
      if (!wanted || wanted === usedDefault) return
      usedDefault = wanted
      select.value = wanted
    },
    setReadOnly(readOnly) {
      select.disabled = readOnly
    },
    read: () => (shown && select.value ? select.value : undefined),
  }
}

/** `fields.billingDetails`, its `address` or its `address.country` may each be 'never'. */
function isShown(billingDetails) {
  const address = billingDetails?.address
  return ![billingDetails, address, address?.country].includes('never')
}
