import type { Appearance } from '@stripe/stripe-js'

/**
 * Our tokens, in words that Stripe's frame understands. It reads neither our variables nor OKLCH, so each colour is
 * painted on a canvas and read back as plain RGB.
 */
export function elementAppearance(): Appearance {
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches
  const token = tokenReader()
  return {
    theme: dark ? 'night' : 'stripe',
    labels: 'above',
    variables: {
      fontFamily: 'Inter, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
      fontSizeBase: '16px',
      fontSizeSm: '14px',
      fontWeightNormal: '400',
      borderRadius: '8px',
      spacingUnit: '4px',
      colorPrimary: token('--accent'),
      colorBackground: token('--surface-raised'),
      colorText: token('--ink'),
      colorTextSecondary: token('--ink-soft'),
      colorTextPlaceholder: token('--ink-soft'),
      colorDanger: token('--bad'),
      colorSuccess: token('--good'),
      colorWarning: token('--warn'),
      focusOutline: `2px solid ${token('--accent')}`,
    },
    rules: {
      '.Label': { fontSize: '14px', fontWeight: '500', color: token('--ink') },
      '.Input': { border: `1px solid ${token('--line-strong')}`, boxShadow: 'none', padding: '10px 12px' },
      '.Input:focus': {
        border: `1px solid ${token('--accent')}`,
        boxShadow: `0 0 0 1px ${token('--accent')}`,
      },
      '.Input--invalid': { border: `1px solid ${token('--bad')}`, boxShadow: 'none' },
      '.Error': { fontSize: '14px' },
    },
  }
}

/** Calls back whenever the reader's scheme changes; answers with the way to stop. */
export function onSchemeChange(changed: () => void): () => void {
  const query = window.matchMedia('(prefers-color-scheme: dark)')
  query.addEventListener('change', changed)
  return () => query.removeEventListener('change', changed)
}

function tokenReader(): (name: string) => string {
  const styles = getComputedStyle(document.documentElement)
  const canvas = document.createElement('canvas')
  canvas.width = 1
  canvas.height = 1
  const pen = canvas.getContext('2d', { willReadFrequently: true })
  return (name) => {
    const colour = styles.getPropertyValue(name).trim()
    if (!pen) return colour
    pen.fillStyle = colour
    pen.fillRect(0, 0, 1, 1)
    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data
    return `rgb(${red}, ${green}, ${blue})`
  }
}
