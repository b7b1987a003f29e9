// @ts-check
// The bar and the tab title that every screen of the console has.

import { html, useEffect } from "../shared/base.js";
import { session, signOut } from "../shared/api.js";
import { LanguageSwitch, showError } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { language, t } from "../shared/i18n.js";
import { helpOpen } from "./keys.js";

/** The bar at the top of every screen. @param {{children?: any, tools?: any}} props */
export function TopBar({ children, tools }) {
  const who = session.value;
  return html`<header class="top">
    <a class="brand" href="#/" title=${t("list.title")}
      ><img src=${ICON} alt="" width="26" height="26" /><b>MCU</b></a
    >
    <div class="top-main">${children}</div>
    ${tools}
    <${LanguageSwitch} />
    <button
      type="button"
      class="bare"
      title=${`${t("help.title")} (?)`}
      aria-label=${t("help.title")}
      onClick=${() => (helpOpen.value = true)}
    >
      <${Icon} name="help" />
    </button>
    <button
      type="button"
      class="bare"
      title=${t("sign-out", { name: who?.name ?? "" })}
      aria-label=${t("sign-out", { name: who?.name ?? "" })}
      onClick=${() => signOut().catch(showError)}
    >
      <${Icon} name="out" />
    </button>
  </header>`;
}

const ICON = new URL("../../icon.svg", import.meta.url).href;

/** The title of the browser's tab. @param {string} title */
export function useTitle(title) {
  useEffect(() => {
    document.title = title ? `${title} · MCU` : "MCU";
  }, [title, language.value]);
}
