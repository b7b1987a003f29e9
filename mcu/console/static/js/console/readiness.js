// @ts-check
// Readiness checks: begun for rooms, a conference or a scenario; the list of those there were.

import { classes, html, useEffect, useState } from "../shared/base.js";
import { getAll, send, session } from "../shared/api.js";
import { Problem, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, dayAndClock, t } from "../shared/i18n.js";
import { TopBar, useTitle } from "./frame.js";
import { readUnits, unitName, units } from "./registry.js";

export function ReadinessScreen() {
  useTitle(t("readiness.title"));
  const [checks, setChecks] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const mayCheck = ["admin", "operator"].includes(session.value?.role);
  useEffect(() => {
    void (async () => {
      try {
        if (!units.peek().size) await readUnits();
        setChecks(await getAll("readiness-checks"));
      } catch (reason) {
        setError(reason);
      }
    })();
  }, []);
  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("readiness.title")}</h1>
    <//>
    <${Toasts} />
    <main class="page">
      <div class="page-head">
        <p class="quiet">${checks && t("readiness.count", { count: checks.length })}</p>
        <a class="button" href="/api/v1/readiness-checks.csv" download>CSV</a>
      </div>
      ${mayCheck && html`<${Begin} />`} ${error && html`<${Problem} error=${error} />`}
      ${checks === null && !error && html`<p class="quiet">${t("loading")}</p>`}
      ${checks?.length === 0 && html`<div class="empty"><p>${t("readiness.none")}</p></div>`}
      <ul class="conferences">
        ${(checks ?? []).map((check) => html`<li key=${check.id}><${Entry} check=${check} /></li>`)}
      </ul>
    </main>`;
}

/** Whom to check: a scenario's rooms, those of a conference that runs, or those of a unit. */
function Begin() {
  const [choices, setChoices] = useState(/** @type {any} */ (null));
  const [chosen, setChosen] = useState("");
  const [error, setError] = useState(/** @type {any} */ (null));
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    void (async () => {
      try {
        const [scenarios, running] = await Promise.all([
          getAll("scenarios"),
          getAll("conferences?state=running"),
        ]);
        setChoices({ scenarios, running });
      } catch (reason) {
        setError(reason);
      }
    })();
  }, []);
  const begin = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const [kind, id] = split(chosen);
    setWaiting(true);
    setError(null);
    try {
      let body = /** @type {any} */ ({ [kind]: id });
      if (kind === "unit") {
        const bridges = await getAll(`bridges?unit=${encodeURIComponent(id)}`);
        body = { bridges: bridges.map((one) => one.id), unit: id, name: unitName(id) };
      }
      const check = await send("POST", "readiness-checks", body);
      location.hash = `#/readiness/${encodeURIComponent(check.id)}`;
    } catch (reason) {
      setError(reason);
      setWaiting(false);
    }
  };
  const all = [...units.value.values()].sort((a, b) => byName(a.name, b.name));
  return html`<form class="card readiness-begin" onSubmit=${begin}>
    <label
      >${t("readiness.whom")}
      <select
        required
        value=${chosen}
        onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}
      >
        <option value="">${t("readiness.choose")}</option>
        ${group("readiness.of-scenario", "scenario", choices?.scenarios)}
        ${group("readiness.of-conference", "conference", choices?.running)}
        ${group("readiness.of-unit", "unit", all)}
      </select>
    </label>
    <button type="submit" class="primary" disabled=${waiting || !chosen}>
      <${Icon} name="check" />${t(waiting ? "start.waiting" : "readiness.begin")}
    </button>
    ${error && html`<${Problem} error=${error} />`}
  </form>`;
}

/** @param {string} label @param {string} kind @param {any[] | undefined} items */
const group = (label, kind, items) =>
  items?.length
    ? html`<optgroup label=${t(label)}>
        ${items.map(
          (one) =>
            html`<option key=${one.id} value=${`${kind}:${one.id}`}>
              ${one.name}${one.begins_at ? ` · ${dayAndClock(one.begins_at)}` : ""}
            </option>`,
        )}
      </optgroup>`
    : null;

/** @param {string} text */
const split = (text) => [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)];

/** @param {{check: any}} props */
function Entry({ check }) {
  const { counts } = check;
  const open = counts.waiting + counts.reaching + counts.reached + counts.measuring;
  return html`<a
    class="scenario-entry scenario-name"
    href=${`#/readiness/${encodeURIComponent(check.id)}`}
  >
    <div>
      <h2>${check.name}</h2>
      <p class="quiet">${unitName(check.unit)} · ${dayAndClock(check.began_at)}</p>
    </div>
    <div class="badges">
      ${check.running && html`<span class="badge live">${t("readiness.running", { count: open + counts.confirming })}</span>`}
      <span class=${classes("badge", counts.go > 0 && "good")}><${Icon} name="check" />${t("readiness.go", { count: counts.go })}</span>
      ${counts.no_go > 0 && html`<span class="badge bad"><${Icon} name="warning" />${t("readiness.no-go", { count: counts.no_go })}</span>`}
    </div>
  </a>`;
}
