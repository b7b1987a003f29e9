// @ts-check
// Where a room is to go: one of the other conferences that run.

import { html, useEffect, useState } from "../shared/base.js";
import { getAll } from "../shared/api.js";
import { Dialog, Problem } from "../shared/controls.js";
import { byName, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { unitName } from "./registry.js";

/** @param {{desk: import("./conference.js").Desk, person: any}} props */
export function TransferDialog({ desk, person }) {
  const [targets, setTargets] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    getAll("conferences?state=running").then(
      (running) => setTargets(running.filter(({ id }) => id !== desk.model.id)),
      setError,
    );
  }, []);
  const close = () => (desk.moving.value = false);
  const under = busy.value.has(`transfer:${person.id}`);
  return html`<${Dialog} title=${t("transfer.title", { name: person.label })} onClose=${close}>
    <p class="quiet">${t("transfer.explain")}</p>
    <${Problem} error=${error} />
    <ul class="pick-list">
      ${(targets ?? [])
        .sort((a, b) => byName(a.name, b.name))
        .map(
          (target, index) =>
            html`<li key=${target.id}>
              <button
                type="button"
                autofocus=${index === 0}
                disabled=${under || target.locked}
                onClick=${async () => {
                  if (await desk.actions.transfer(person, target)) close();
                }}
              >
                ${target.name}<small
                  >${[unitName(target.unit), target.locked && t("locked")].filter(Boolean).join(" · ")}</small
                >
              </button>
            </li>`,
        )}
      ${targets && !targets.length && html`<li class="quiet none">${t("transfer.none")}</li>`}
      ${!targets && !error && html`<li class="quiet none">${t("loading")}</li>`}
    </ul>
    <div class="row-of-buttons">
      <button type="button" onClick=${close}>${t("cancel")}</button>
    </div>
  <//>`;
}
