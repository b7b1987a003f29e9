// @ts-check
// Letting somebody into a running conference: a room of the registry, an address of SIP that is
// called, or a guest by name.

import { html, useEffect, useState } from "../shared/base.js";
import { getAll } from "../shared/api.js";
import { Dialog, Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, fold, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { Invitable } from "./invitations.js";
import { belongsTo } from "./registry.js";

/** @param {{desk: import("./conference.js").Desk, onClose: () => void}} props */
export function AddRooms({ desk, onClose }) {
  const [bridges, setBridges] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [search, setSearch] = useState("");
  useEffect(() => {
    getAll("bridges").then(setBridges, setError);
  }, []);
  const { model, actions } = desk;
  const holder = model.conference.value.unit;
  const present = new Set(model.ids.value);
  const placed = (/** @type {any} */ bridge) => belongsTo(bridge.unit, holder);
  const found = (bridges ?? [])
    .filter((bridge) => !present.has(bridge.id))
    .filter((bridge) => fold(`${bridge.name} ${placed(bridge)}`).includes(fold(search)))
    .sort((a, b) => b.importance - a.importance || byName(a.name, b.name));
  const addGuest = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const given = new FormData(form);
    const name = String(given.get("guest") ?? "").trim();
    const address = String(given.get("address") ?? "").trim();
    if (!name && !address) return;
    const who = { ...(name && { name }), ...(address && { address }) };
    if (await actions.call(who)) form.reset();
  };
  return html`<${Dialog} title=${t("add.title")} onClose=${onClose}>
    ${error && html`<${Problem} error=${error} />`}
    <input
      type="search"
      autofocus
      placeholder=${t("roster.search")}
      aria-label=${t("roster.search")}
      value=${search}
      onInput=${(/** @type {any} */ e) => setSearch(e.target.value)}
    />
    <ul class="pick-list">
      ${found.map(
        (bridge) =>
          html`<li key=${bridge.id}>
            <button
              type="button"
              disabled=${busy.value.has(`call:${bridge.id}`)}
              onClick=${() => actions.call({ bridge: bridge.id })}
            >
              ${bridge.name}<small>${placed(bridge)}</small>
            </button>
          </li>`,
      )}
      ${bridges && !found.length && html`<li class="quiet none">${t("add.none")}</li>`}
      ${!bridges && !error && html`<li class="quiet none">${t("loading")}</li>`}
    </ul>
    <${Invitable} desk=${desk} search=${search} />
    <form class="add-guest" onSubmit=${addGuest} autocomplete="off">
      <label>${t("add.guest")}<input name="guest" maxlength="200" /></label>
      <label
        >${t("add.address")}<input
          name="address"
          maxlength="255"
          inputmode="url"
          placeholder="sip:phong-hop@example.org"
      /></label>
      <button type="submit"><${Icon} name="plus" />${t("add.guest.submit")}</button>
    </form>
  <//>`;
}
