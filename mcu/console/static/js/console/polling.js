// @ts-check
// Rooms shown in turn: of which unit, without whom, how long each, to whom.

import { html, useMemo, useState } from "../shared/base.js";
import { ClockDown } from "../shared/clockdown.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { unitName, units } from "./registry.js";
import { Several } from "./several.js";
import { inTreeOrder } from "./start.js";
import { UnitSelect } from "./unit-select.js";

const INTERVALS = [5, 10, 15, 30, 60];

/**
 * The units that rooms of the roster belong to, and those above them, as a tree.
 * @param {import("./model.js").ConferenceModel} model
 */
export function useUnitsHere(model) {
  const ids = model.ids.value;
  const known = units.value;
  return useMemo(() => {
    /** @type {Set<string>} */
    const here = new Set();
    for (const id of ids) {
      let unit = model.people.get(id)?.peek().unit;
      while (unit && !here.has(unit)) {
        here.add(unit);
        unit = known.get(unit)?.parent;
      }
    }
    return inTreeOrder([...known.values()].filter((unit) => here.has(unit.id)));
  }, [ids, known]);
}

/** @param {{desk: import("./conference.js").Desk, name: (id: string | null) => string}} props */
export function PollingControl({ desk, name }) {
  const conference = desk.model.conference.value;
  const off = !desk.controls || conference.state !== "running" || busy.value.has("polling");
  return html`<section class="polling" aria-label=${t("polling")}>
    <h3>${t("polling")}</h3>
    ${
      conference.polling
        ? html`<${Running} desk=${desk} name=${name} polling=${conference.polling} off=${off} />`
        : html`<${Begin} desk=${desk} off=${off} />`
    }
  </section>`;
}

/** @param {{desk: import("./conference.js").Desk, name: (id: string | null) => string,
 *           polling: any, off: boolean}} props */
function Running({ desk, name, polling, off }) {
  const { actions } = desk;
  const { scope } = polling;
  const said = [t(`polling.for.${polling.view}`)];
  if (Array.isArray(scope)) said.push(t("polling.list", { count: scope.length }));
  else if (scope !== "all") said.push(unitName(scope));
  if (polling.except.length) said.push(t("polling.without", { names: polling.except.map(name).join(", ") }));
  if (polling.paused) said.push(t("polling.paused"));
  return html`<div class="floor-now">
      <${Icon} name="refresh" />
      <p>
        <b>${polling.participant ? name(polling.participant) : t("polling.nobody")}</b>
        <span class="quiet">${said.join(" · ")}</span>
      </p>
      <${ClockDown} of=${polling} />
    </div>
    <div class="row-of-buttons">
      <button
        type="button"
        aria-pressed=${String(polling.paused)}
        disabled=${off}
        onClick=${() => actions.pausePolling(!polling.paused)}
      >
        ${t(polling.paused ? "polling.resume" : "polling.pause")}
      </button>
      <button
        type="button"
        disabled=${off || !polling.participant}
        onClick=${() => actions.skipPolling(polling.participant)}
      >
        ${t("polling.skip")}
      </button>
      <button type="button" class="danger" disabled=${off} onClick=${() => actions.stopPolling()}>
        ${t("polling.stop")}
      </button>
    </div>`;
}

/** @param {{desk: import("./conference.js").Desk, off: boolean}} props */
function Begin({ desk, off }) {
  const { model, actions } = desk;
  const [terms, setTerms] = useState({
    interval_s: 10,
    view: "chair",
    scope: "all",
    except: /** @type {string[]} */ ([]),
  });
  const change = (/** @type {any} */ values) => setTerms({ ...terms, ...values });
  const tree = useUnitsHere(model);
  const people = model.ids.value
    .map((id) => model.people.get(id)?.peek())
    .filter((person) => person && person.role !== "chair")
    .map((person) => ({ id: person.id, name: person.label }));
  const here = new Set(people.map((person) => person.id));
  return html`<div class="row-of-buttons">
      <label class="inline"
        >${t("polling.every")}
        <select
          value=${String(terms.interval_s)}
          disabled=${off}
          onChange=${(/** @type {any} */ e) => change({ interval_s: Number(e.target.value) })}
        >
          ${INTERVALS.map((s) => html`<option key=${s} value=${String(s)}>${t("polling.seconds", { count: s })}</option>`)}
        </select>
      </label>
      <label class="inline"
        >${t("polling.view")}
        <select
          value=${terms.view}
          disabled=${off}
          onChange=${(/** @type {any} */ e) => change({ view: e.target.value })}
        >
          ${["chair", "main"].map((v) => html`<option key=${v} value=${v}>${t(`polling.for.${v}`)}</option>`)}
        </select>
      </label>
      <label class="inline polling-scope"
        >${t("polling.scope")}
        <${UnitSelect}
          tree=${tree}
          none=${t("polling.all")}
          value=${terms.scope === "all" ? "" : terms.scope}
          disabled=${off}
          onPick=${(/** @type {string} */ unit) => change({ scope: unit || "all" })}
        />
      </label>
      <button
        type="button"
        disabled=${off}
        onClick=${() => actions.startPolling({ ...terms, except: terms.except.filter((id) => here.has(id)) })}
      >
        ${t("polling.start")}
      </button>
    </div>
    <${Several}
      chosen=${terms.except.filter((id) => here.has(id))}
      people=${people}
      add=${t("polling.leave-out")}
      leave=${(/** @type {string} */ who) => t("polling.take-in", { name: who })}
      change=${(/** @type {string[]} */ except) => change({ except })}
      disabled=${off}
    />`;
}
