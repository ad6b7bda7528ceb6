/** The part of Stripe's Appearance API that is understood here: three themes and the variables below. `rules` are ignored. */

const LIGHT = {
  colorPrimary: '#0b5fc0',
  colorBackground: '#ffffff',
  colorText: '#26282f',
  colorTextSecondary: '#5b5f6b',
  colorTextPlaceholder: '#6b6f7b',
  colorDanger: '#b3202c',
  line: '#8b909c',
}
const NIGHT = {
  colorPrimary: '#8ab4ff',
  colorBackground: '#1b1d23',
  colorText: '#f1f2f4',
  colorTextSecondary: '#b3b7c1',
  colorTextPlaceholder: '#9a9eaa',
  colorDanger: '#ff9aa2',
  line: '#6f7484',
}
const THEMES = { stripe: LIGHT, flat: LIGHT, night: NIGHT }

/** Our CSS variable, the Appearance variable it comes from, and the property that decides whether a value is valid. */
const VARIABLES = [
  ['--primary', 'colorPrimary', 'color'],
  ['--ground', 'colorBackground', 'background-color'],
  ['--ink', 'colorText', 'color'],
  ['--ink-soft', 'colorTextSecondary', 'color'],
  ['--placeholder', 'colorTextPlaceholder', 'color'],
  ['--danger', 'colorDanger', 'color'],
  ['--line', 'inputColorBorder', 'color'],
  ['--font', 'fontFamily', 'font-family'],
  ['--font-size', 'fontSizeBase', 'font-size'],
  ['--radius', 'borderRadius', 'border-radius'],
  ['--unit', 'spacingUnit', 'width'],
]

export function applyAppearance({ theme = 'stripe', variables = {} } = {}) {
  const root = document.documentElement
  const preset = THEMES[theme] ?? LIGHT
  root.dataset.theme = preset === NIGHT ? 'night' : 'light'
  for (const [name, variable, property] of VARIABLES) {
    const chosen = variables[variable]
    const value = CSS.supports(property, chosen ?? '')
      ? chosen
      : preset[variable === 'inputColorBorder' ? 'line' : variable]
    if (value) root.style.setProperty(name, value)
    else root.style.removeProperty(name)
  }
}
