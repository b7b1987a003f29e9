// @ts-check
// A SIP secret: made, and shown once as the lines that a technician types into the codec.

import { html, useState } from "../shared/base.js";
import { send } from "../shared/api.js";
import { Dialog, Problem, showError } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";

/** @param {{room: any, onMade: () => void, onClose: () => void}} props */
export function SecretDialog({ room, onMade, onClose }) {
  const [account, setAccount] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [waiting, setWaiting] = useState(false);
  const make = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const own = String(new FormData(form).get("secret") ?? "").trim();
    setWaiting(true);
    setError(null);
    try {
      const path = `bridges/${encodeURIComponent(room.id)}/sip-secret`;
      setAccount(await send("POST", path, own ? { secret: own } : {}));
      onMade();
    } catch (reason) {
      setError(reason);
    }
    setWaiting(false);
  };
  return html`<${Dialog} title=${t("sip.secret.title", { name: room.name })} onClose=${onClose} wide=${Boolean(account)}>
    ${error && html`<${Problem} error=${error} />`}
    ${
      account
        ? html`<${Account} account=${account} onClose=${onClose} />`
        : html`<form class="stacked" onSubmit=${make} autocomplete="off">
            <p>${t(room.sip.has_secret ? "sip.secret.replaces" : "sip.secret.explain")}</p>
            <label
              >${t("sip.secret.own")}
              <input
                name="secret"
                minlength="12"
                maxlength="128"
                pattern="[!-~]*"
                placeholder=${t("sip.secret.made")}
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
              />
            </label>
            <div class="row-of-buttons">
              <button type="submit" class="primary" disabled=${waiting} autofocus>
                ${t(room.sip.has_secret ? "sip.secret.renew" : "sip.secret.make")}
              </button>
              <button type="button" onClick=${onClose}>${t("cancel")}</button>
            </div>
          </form>`
    }
  <//>`;
}

/** @param {{account: any, onClose: () => void}} props */
function Account({ account, onClose }) {
  const ports = Object.entries(account.ports)
    .map(([transport, port]) => `${transport.toUpperCase()} ${port}`)
    .join(", ");
  return html`<p class="note" role="status">${t("sip.secret.once")}</p>
    <dl class="account">
      <${Line} name=${t("sip.server")} value=${account.server} />
      <${Line} name=${t("sip.user-name")} value=${account.user_name} />
      <${Line} name=${t("sip.secret")} value=${account.secret} />
    </dl>
    <p class="quiet">
      ${ports ? t("sip.ports", { ports, realm: account.realm }) : t("sip.off")}
    </p>
    <div class="row-of-buttons">
      <button type="button" class="primary" onClick=${onClose}>${t("sip.written-down")}</button>
    </div>`;
}

/** @param {{name: string, value: string}} props */
function Line({ name, value }) {
  const [copied, setCopied] = useState(false);
  // Browsers give the clipboard to safe addresses only; elsewhere the text is selected by a click.
  const copy = () => navigator.clipboard.writeText(value).then(() => setCopied(true), showError);
  return html`<div>
    <dt>${name}</dt>
    <dd translate="no">${value}</dd>
    ${
      window.isSecureContext &&
      html`<button
        type="button"
        class="small"
        aria-label=${`${t("copy")}: ${name}`}
        onClick=${copy}
      >
        ${copied && html`<${Icon} name="check" />`}${t(copied ? "copied" : "copy")}
      </button>`
    }
  </div>`;
}
