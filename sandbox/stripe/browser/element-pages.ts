import { html } from 'hono/html'
import { frame, type Html } from './pages.ts'

/** The Address Element. */
export function addressPage(appOrigin: string): Html {
  return frame({
    appOrigin,
    title: 'Secure address input frame',
    name: 'address',
    styles: 'payment',
    busy: true,
    body: html`
    <form novalidate>
      ${field('name', 'Full name', 'name')}
      <div>
        <label for="country">Country</label>
        <select id="country" name="country" autocomplete="country"></select>
      </div>
      ${field('line1', 'Address line 1', 'address-line1')}
      ${field('line2', 'Address line 2 (optional)', 'address-line2', { needed: false })}
      <div class="pair">
        ${field('postal_code', 'Postal code', 'postal-code')}
        ${field('city', 'City', 'address-level2')}
      </div>
      ${field('state', 'State or province (optional)', 'address-level1', { needed: false })}
      <div id="phone-field" hidden>
        <label for="phone">Phone</label>
        <input id="phone" name="phone" type="tel" autocomplete="tel" />
      </div>
    </form>`,
  })
}

/** The Link Authentication Element: here it asks for an e-mail address and nothing more, there is no Link. */
export function linkAuthenticationPage(appOrigin: string): Html {
  return frame({
    appOrigin,
    title: 'Secure email input frame',
    name: 'link-authentication',
    styles: 'payment',
    busy: true,
    body: html`
    <form novalidate>
      <div>
        <label for="email">Email</label>
        <input id="email" name="email" type="email" autocomplete="email" aria-describedby="email-error" />
        <p class="error" id="email-error" role="alert"></p>
      </div>
    </form>`,
  })
}

function field(id: string, label: string, autocomplete: string, { needed = true } = {}): Html {
  return html`<div>
        <label for="${id}">${label}</label>
        <input id="${id}" name="${id}" autocomplete="${autocomplete}"${needed ? html` aria-describedby="${id}-error"` : ''} />
        ${needed ? html`<p class="error" id="${id}-error" role="alert"></p>` : ''}
      </div>`
}
