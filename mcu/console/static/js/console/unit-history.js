// @ts-check
// What a unit was called and where it stood, who came after it and whom it succeeded.

import { html, useEffect, useState } from "../shared/base.js";
import { get } from "../shared/api.js";
import { Dialog, Problem } from "../shared/controls.js";
import { dayAndClock, t } from "../shared/i18n.js";
import { unitName } from "./registry.js";

/** @param {{unit: {id: string, name: string}, onClose: () => void}} props */
export function UnitHistory({ unit, onClose }) {
  /** The unit that is looked at: units that were before are reached from here only. */
  const [id, setId] = useState(unit.id);
  const [history, setHistory] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let current = true;
    setHistory(null);
    setError(null);
    get(`units/${encodeURIComponent(id)}/history`).then(
      (found) => current && setHistory(found),
      (reason) => current && setError(reason),
    );
    return () => {
      current = false;
    };
  }, [id]);
  const name = history?.former?.name ?? unitName(id);
  return html`<${Dialog} title=${t("units.history-of", { name })} onClose=${onClose} wide=${true}>
    ${error && html`<${Problem} error=${error} />`}
    ${!history && !error && html`<p class="quiet">${t("loading")}</p>`}
    ${history && html`<${Story} history=${history} go=${setId} />`}
    <div class="row-of-buttons">
      ${
        id !== unit.id &&
        html`<button type="button" autofocus onClick=${() => setId(unit.id)}>
          ${t("units.back-to", { name: unit.name })}
        </button>`
      }
      ${
        history?.periods.length > 0 &&
        html`<a class="button" href=${`/api/v1/units/${encodeURIComponent(id)}/history.csv`} download
          >CSV</a
        >`
      }
    </div>
  <//>`;
}

/** @param {{history: any, go: (id: string) => void}} props */
function Story({ history, go }) {
  const { former, periods, predecessors } = history;
  const after = former && (former.parts.length ? former.parts : [former.successor].filter(Boolean));
  return html`
    ${
      former &&
      html`<p class="note">
        ${t(`units.ended.${former.change}`, { time: dayAndClock(former.ended_at) })}
        <${Names} ids=${after} go=${go} />
      </p>`
    }
    ${
      periods.length > 0 &&
      html`<table class="unit-periods">
        <thead>
          <tr>
            ${["until", "name", "level", "parent", "change"].map(
              (column) => html`<th key=${column} scope="col">${t(`units.column.${column}`)}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${periods.map(
            (/** @type {any} */ each) =>
              html`<tr key=${each.until}>
                <td>${dayAndClock(each.until)}</td>
                <td>${each.name}</td>
                <td>${t(`units.level.${each.level}`)}</td>
                <td>${each.parent && unitName(each.parent)}</td>
                <td>${t(`units.change.${each.change}`)}</td>
              </tr>`,
          )}
        </tbody>
      </table>`
    }
    ${!periods.length && html`<p class="quiet">${t("units.unchanged")}</p>`}
    ${
      predecessors.length > 0 &&
      html`<p>${t("units.succeeded")} <${Names} ids=${predecessors} go=${go} /></p>`
    }
  `;
}

/** Units by name, each leading to its own history. @param {{ids: string[], go: (id: string) => void}} props */
const Names = ({ ids, go }) =>
  html`<span class="unit-names">
    ${ids.map(
      (id) =>
        html`<button key=${id} type="button" class="small" onClick=${() => go(id)}>
          ${unitName(id)}
        </button>`,
    )}
  </span>`;
