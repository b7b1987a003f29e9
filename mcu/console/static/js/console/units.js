// @ts-check
// The administrative units: where each stands, what it holds, and what may become of it.

import { classes, html, useEffect, useState } from "../shared/base.js";
import { getAll, session } from "../shared/api.js";
import { Problem, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { fold, t } from "../shared/i18n.js";
import { TopBar, useTitle } from "./frame.js";
import { useKeys } from "./keys.js";
import { units as named } from "./registry.js";
import { inTreeOrder } from "./start.js";
import { ChangeDialog } from "./unit-change.js";
import { UnitHistory } from "./unit-history.js";
import { MergeDialog, SplitDialog } from "./unit-reform.js";

/**
 * What a unit holds itself, not what those below it hold.
 * @typedef {{units: any[], bridges: any[], scenarios: any[]}} Holding
 * @typedef {{units: any[], tree: {unit: any, depth: number}[], held: Map<string, Holding>}} Registry
 */

/** @returns {Promise<Registry>} */
async function readRegistry() {
  const [units, bridges, scenarios] = await Promise.all(["units", "bridges", "scenarios"].map(getAll));
  named.value = new Map(units.map((unit) => [unit.id, unit]));
  /** @type {Map<string, Holding>} */
  const held = new Map(units.map((unit) => [unit.id, { units: [], bridges: [], scenarios: [] }]));
  for (const unit of units) held.get(unit.parent)?.units.push(unit);
  for (const bridge of bridges) held.get(bridge.unit)?.bridges.push(bridge);
  for (const scenario of scenarios) held.get(scenario.unit)?.scenarios.push(scenario);
  return { units, tree: inTreeOrder(units), held };
}

export function UnitsScreen() {
  useTitle(t("units.title"));
  const [registry, setRegistry] = useState(/** @type {Registry | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [search, setSearch] = useState("");
  /** Which dialog is open, for which unit (its id: of the history also one that is no more). */
  const [open, setOpen] = useState(/** @type {{what: string, unit: any} | null} */ (null));
  const read = () =>
    readRegistry().then((found) => {
      setRegistry(found);
      setError(null);
    }, setError);
  useEffect(() => void read(), []);
  useKeys({ "/": () => document.getElementById("units-search")?.focus() });
  const mayWrite = ["admin", "operator"].includes(session.value?.role);
  const found = (registry?.tree ?? []).filter(({ unit }) =>
    fold(`${unit.name} ${unit.id}`).includes(fold(search)),
  );
  const close = () => setOpen(null);
  const done = () => {
    close();
    void read();
  };
  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("units.title")}</h1>
    <//>
    <${Toasts} />
    <main class="page">
      <div class="page-head">
        <p class="quiet">${registry && t("units.count", { count: registry.units.length })}</p>
        <div class="row-of-buttons">
          <a class="button small" href="/api/v1/units.csv" download>${t("units.csv")}</a>
          <a class="button small" href="/api/v1/bridges.csv" download>${t("units.csv-bridges")}</a>
        </div>
        <div class="search">
          <${Icon} name="search" /><input
            id="units-search"
            type="search"
            placeholder=${t("units.search")}
            aria-label=${t("units.search")}
            value=${search}
            onInput=${(/** @type {any} */ e) => setSearch(e.target.value)}
          />
        </div>
      </div>
      ${error && html`<${Problem} error=${error} />`}
      ${!registry && !error && html`<p class="quiet">${t("loading")}</p>`}
      ${registry && !found.length && html`<div class="empty"><p>${t("units.none")}</p></div>`}
      <ul class="unit-list">
        ${found.map(
          ({ unit, depth }) =>
            html`<${Entry}
              key=${unit.id}
              unit=${unit}
              depth=${search ? 0 : depth}
              holding=${registry?.held.get(unit.id)}
              mayWrite=${mayWrite}
              onOpen=${(/** @type {string} */ what) => setOpen({ what, unit })}
            />`,
        )}
      </ul>
    </main>
    ${open?.what === "history" && html`<${UnitHistory} unit=${open.unit} onClose=${close} />`}
    ${
      open?.what === "change" &&
      html`<${ChangeDialog} unit=${open.unit} registry=${registry} onClose=${close} onDone=${done} onReload=${read} />`
    }
    ${
      open?.what === "merge" &&
      html`<${MergeDialog} unit=${open.unit} registry=${registry} onClose=${close} onDone=${done} onReload=${read} />`
    }
    ${
      open?.what === "split" &&
      html`<${SplitDialog} unit=${open.unit} registry=${registry} onClose=${close} onDone=${done} onReload=${read} />`
    }`;
}

/** @param {{unit: any, depth: number, holding: Holding | undefined, mayWrite: boolean,
 *           onOpen: (what: string) => void}} props */
function Entry({ unit, depth, holding, mayWrite, onOpen }) {
  const holds = /** @type {const} */ (["units", "bridges", "scenarios"])
    .filter((kind) => holding?.[kind].length)
    .map((kind) => t(`units.holds.${kind}`, { count: holding?.[kind].length ?? 0 }));
  return html`<li class=${classes("unit-entry", `depth-${Math.min(depth, 4)}`)}>
    <div>
      <h2>${unit.name}</h2>
      <p class="quiet">
        ${[t(`units.level.${unit.level}`), unit.id, ...holds].join(" · ")}
      </p>
    </div>
    <div class="row-of-buttons">
      <button
        type="button"
        class="small"
        aria-label=${t("units.history-of", { name: unit.name })}
        onClick=${() => onOpen("history")}
      >
        <${Icon} name="clock" />${t("units.history")}
      </button>
      ${
        mayWrite &&
        html`<button
            type="button"
            class="small"
            aria-label=${t("units.change-of", { name: unit.name })}
            onClick=${() => onOpen("change")}
          >
            <${Icon} name="edit" />${t("units.change")}
          </button>
          <button
            type="button"
            class="small"
            aria-label=${t("units.merge-of", { name: unit.name })}
            onClick=${() => onOpen("merge")}
          >
            ${t("units.merge")}
          </button>
          <button
            type="button"
            class="small"
            aria-label=${t("units.split-of", { name: unit.name })}
            onClick=${() => onOpen("split")}
          >
            ${t("units.split")}
          </button>`
      }
    </div>
  </li>`;
}
