// @ts-check
// Signing in with an access token, which is exchanged for a cookie and not kept.

import { html, useState } from "../shared/base.js";
import { session, sessionOver, signIn } from "../shared/api.js";
import { LanguageSwitch, Problem } from "../shared/controls.js";
import { t } from "../shared/i18n.js";

/** @param {{failure: import("../../vendor/signals.js").Signal<any>}} props */
export function SignIn({ failure }) {
  const [waiting, setWaiting] = useState(false);
  const isRoom = session.value?.role === "bridge";
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const token = String(new FormData(form).get("token") ?? "").trim();
    if (!token) return;
    setWaiting(true);
    try {
      await signIn(token);
      failure.value = null;
      form.reset();
    } catch (error) {
      failure.value = error;
    } finally {
      setWaiting(false);
    }
  };
  return html`<main class="centre">
    <form class="card narrow" onSubmit=${submit} autocomplete="off">
      <div class="card-head">
        <h1>${t("signin.title")}</h1>
        <${LanguageSwitch} />
      </div>
      ${isRoom && html`<p class="note">${t("signin.is-room", { name: session.value.name ?? "" })}</p>`}
      ${sessionOver.value && html`<p class="note" role="status">${t("signin.over")}</p>`}
      <p class="quiet">${t("signin.explain")}</p>
      <label
        >${t("signin.token")}
        <input
          name="token"
          type="password"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          required
          autofocus
        />
      </label>
      ${failure.value && html`<${Problem} error=${failure.value} />`}
      <button type="submit" class="primary" disabled=${waiting}>
        ${t(waiting ? "signin.waiting" : "signin.submit")}
      </button>
      <p class="quiet small-print">${t("signin.room-hint")} <a href="/join">/join</a></p>
    </form>
  </main>`;
}
