// @ts-check
// The agenda of a running conference: which item is held, planned against actual, next and back.

import { html, signal, useEffect, useRef, useState } from "../shared/base.js";
import { ApiError, get, request } from "../shared/api.js";
import { Dialog, Problem, show } from "../shared/controls.js";
import { focusSoon } from "../shared/focus.js";
import { Icon } from "../shared/icons.js";
import { clock, duration, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { ContingenciesForm, DutiesForm, faultsOf, ItemsForm, useFaultFocus } from "./agenda-form.js";
import { agendaMembers } from "./agenda-words.js";
import { differencesOf, Mine, ProblemOrNewer } from "./overtaken.js";
import { useUnitsHere } from "./polling.js";

/** The agenda as it was last read, kept up by the events that say it is another one now. */
export class AgendaState {
  /** @param {import("./model.js").ConferenceModel} model @param {import("./actions.js").Actions} actions */
  constructor(model, actions) {
    this.path = `conferences/${encodeURIComponent(model.id)}/agenda`;
    this.actions = actions;
    /** undefined: not read yet; null: there is none. */
    this.agenda = signal(/** @type {any} */ (undefined));
    this.error = signal(/** @type {any} */ (null));
    /** What the server's clock is ahead of this computer's, milliseconds. */
    this.ahead_ms = 0;
    this.readings = 0;
    const receive = model.receive.bind(model);
    model.receive = (event) => {
      receive(event);
      if (event.type.startsWith("agenda.")) void this.read();
      if (event.type === "agenda.overrun") {
        show({ tone: "info", text: t("agenda.overrun", { title: event.data.title }) });
      }
      if (event.type === "agenda.advanced" && event.data.missing.length) {
        const names = event.data.missing.map((/** @type {string} */ id) => model.person(id)?.label ?? id);
        show({ tone: "bad", text: t("agenda.missing", { names: names.join(", ") }) });
      }
    };
  }

  async read() {
    const reading = ++this.readings;
    try {
      const agenda = await get(this.path);
      if (reading === this.readings) this.take(agenda);
    } catch (error) {
      if (reading !== this.readings) return;
      if (error instanceof ApiError && error.status === 404) this.agenda.value = null;
      else this.error.value = error;
    }
  }

  /** @param {any} agenda */
  take(agenda) {
    this.ahead_ms = Date.parse(agenda.now) - Date.now();
    this.agenda.value = agenda;
    this.error.value = null;
  }

  /** Under the version that is on the screen: who is overtaken by another is told.
   * @param {string} method @param {string} where @param {any} [json]
   * @param {number} [version] that on which `json` is based, if not the last one that was read */
  async send(method, where, json, version) {
    if (this.agenda.peek() === undefined) await this.read(); // a key was faster than its panel
    const headers = { "If-Match": `"${version ?? this.agenda.peek()?.version ?? 0}"` };
    try {
      const response = await request(`${this.path}${where}`, { method, json, headers });
      this.readings += 1;
      this.take(await response.json());
    } catch (error) {
      await this.read();
      throw error;
    }
  }

  /** @param {string} where @param {any} [json] */
  go(where, json) {
    return this.actions.run("agenda", () => this.send("POST", where, json));
  }
}

/** Now on the server's clock, again every second. @param {AgendaState} state */
function useNow(state) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return Date.now() + state.ahead_ms;
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function AgendaPanel({ desk }) {
  const state = desk.agenda;
  const [editing, setEditing] = useState(false);
  useEffect(() => void state.read(), [state]);
  const agenda = state.agenda.value;
  const running = desk.model.conference.value.state === "running";
  if (state.error.value) return html`<${Problem} error=${state.error.value} />`;
  if (agenda === undefined) return html`<p class="quiet">${t("loading")}</p>`;
  const may = desk.controls && running;
  const edit =
    editing && html`<${EditDialog} desk=${desk} onClose=${() => setEditing(false)} />`;
  if (!agenda?.items.length) {
    return html`<div class="agenda-none">
      <p class="quiet">${t("agenda.none")}</p>
      ${may && html`<button type="button" onClick=${() => setEditing(true)}><${Icon} name="plus" />${t("agenda.make")}</button>`}
      ${edit}
    </div>`;
  }
  return html`<div class="agenda">
    <${Head} desk=${desk} agenda=${agenda} may=${may} onEdit=${() => setEditing(true)} />
    <ol class="agenda-items">
      ${agenda.items.map(
        (/** @type {any} */ item, /** @type {number} */ index) =>
          html`<${Item}
            key=${item.id}
            desk=${desk}
            item=${item}
            place=${index + 1}
            current=${item.id === agenda.current}
            may=${may}
          />`,
      )}
    </ol>
    <${Aside} desk=${desk} agenda=${agenda} />
    <p class="row-of-buttons">
      <a class="button small" href=${`/api/v1/${state.path}.csv`} download>${t("scenario.csv-agenda")}</a>
      ${
        agenda.duties.length > 0 &&
        html`<a class="button small" href=${`/api/v1/${state.path}/duties.csv`} download
          >${t("scenario.csv-duties")}</a
        >`
      }
    </p>
    ${edit}
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, agenda: any, may: boolean, onEdit: () => void}} props */
function Head({ desk, agenda, may, onEdit }) {
  const state = desk.agenda;
  const now = useNow(state);
  const place = agenda.items.findIndex((/** @type {any} */ item) => item.id === agenda.current);
  const item = agenda.items[place];
  const next = agenda.current
    ? agenda.items[place + 1]
    : agenda.state === "waiting"
      ? agenda.items[0]
      : undefined;
  const off = !may || busy.value.has("agenda");
  return html`<div class="agenda-head">
    <div class="agenda-now">
      ${
        item
          ? html`<${Clock} item=${item} now=${now} />`
          : html`<p><b>${t(`agenda.${agenda.state}`)}</b></p>`
      }
      <p class="quiet next-line">
        ${next ? t("agenda.next-is", { title: next.title }) : item ? t("agenda.last") : ""}
      </p>
      ${item?.note && html`<p class="next-line" title=${item.note}>${item.note}</p>`}
    </div>
    <div class="row-of-buttons">
      <button
        type="button"
        disabled=${off || agenda.state === "waiting" || place === 0}
        title=${`${t("agenda.back")} (Shift K)`}
        aria-label=${t("agenda.back")}
        onClick=${() => state.go("/back")}
      >
        <${Icon} name="back" />${t("agenda.back")}
      </button>
      <button
        type="button"
        class="primary"
        disabled=${off || agenda.state === "finished"}
        title=${`${t("agenda.next")} (Shift N)`}
        onClick=${() => state.go("/next")}
      >
        ${t(agenda.state === "waiting" ? "agenda.begin" : next ? "agenda.next" : "agenda.finish")}
      </button>
      ${
        may &&
        html`<button
          type="button"
          class="bare"
          title=${t("agenda.edit")}
          aria-label=${t("agenda.edit")}
          onClick=${onEdit}
        >
          <${Icon} name="edit" />
        </button>`
      }
    </div>
  </div>`;
}

/** The current item: how long, how much is left, and how far behind the session is.
 * @param {{item: any, now: number}} props */
function Clock({ item, now }) {
  const started = Date.parse(item.held[item.held.length - 1].started_at);
  const gone = (now - started) / 1000;
  const left = item.duration_s - gone;
  const ends = Math.max(now, started + item.duration_s * 1000);
  const behind = (ends - Date.parse(item.planned_end)) / 1000;
  const late = behind >= 60 ? "behind" : behind <= -60 ? "ahead" : "on-time";
  return html`<p class="agenda-title"><b>${item.title}</b></p>
    <p class="agenda-clock">
      <span class=${left < 0 ? "left over" : "left"}
        >${left < 0 ? "+" : ""}${duration(Math.abs(left))}</span
      >
      <span class="quiet"
        >${`${t(left < 0 ? "agenda.over" : "agenda.left")} · ${t("agenda.gone", { time: duration(gone), of: duration(item.duration_s) })}`}</span
      >
      <span class=${`badge ${late === "behind" ? "bad" : ""}`}
        >${t(`agenda.${late}`, { time: duration(Math.abs(behind)) })}</span
      >
    </p>
    <meter
      min="0"
      max=${item.duration_s}
      value=${Math.min(gone, item.duration_s)}
      aria-label=${t("agenda.gone", { time: duration(gone), of: duration(item.duration_s) })}
    ></meter>`;
}

/** @param {{desk: import("./conference.js").Desk, item: any, place: number, current: boolean, may: boolean}} props */
function Item({ desk, item, place, current, may }) {
  const held = item.held;
  const last = held[held.length - 1];
  const speaker = item.speaker && (desk.model.person(item.speaker)?.label ?? item.speaker);
  const plan = item.planned_start
    ? `${clock(item.planned_start)}–${clock(item.planned_end)}`
    : duration(item.duration_s);
  const actual = last && `${clock(last.started_at)}–${last.ended_at ? clock(last.ended_at) : "…"}`;
  return html`<li class=${current ? "current" : last ? "done" : ""} aria-current=${current ? "step" : undefined}>
    <span class="place">${last && !current ? html`<${Icon} name="check" label=${t("agenda.done")} />` : place}</span>
    <span class="what"
      ><b>${item.title}</b>${
        speaker && html`<span class="quiet"> · ${speaker}</span>`
      }</span
    >
    <span class="times">
      <span class="quiet" title=${t("agenda.planned")}>${plan}</span>
      ${actual && html`<span class=${last.overran ? "over" : ""} title=${t("agenda.actual")}>${actual}</span>`}
    </span>
    ${
      may &&
      html`<button
        type="button"
        class="small"
        disabled=${busy.value.has("agenda")}
        aria-label=${t(current ? "agenda.again-of" : "agenda.jump-to", { title: item.title })}
        title=${t(current ? "agenda.again-of" : "agenda.jump-to", { title: item.title })}
        onClick=${() => desk.agenda.go("/jump", { item: item.id })}
      >
        ${t(current ? "agenda.again" : "agenda.jump")}
      </button>`
    }
  </li>`;
}

/** Who is on duty, and what is done when something fails.
 * @param {{desk: import("./conference.js").Desk, agenda: any}} props */
function Aside({ desk, agenda }) {
  const { duties, contingencies } = agenda;
  if (!duties.length && !contingencies.length) return null;
  return html`<div class="agenda-aside">
    ${
      duties.length > 0 &&
      html`<details>
        <summary>${t("scenario.duties")} (${duties.length})</summary>
        <ul>
          ${duties.map(
            (/** @type {any} */ duty) =>
              html`<li key=${`${duty.bridge}/${duty.role}`}>
                ${`${duty.role} · ${duty.bridge ? (desk.model.person(duty.bridge)?.label ?? duty.bridge) : t("scenario.centre")} · ${duty.name}`}${duty.phone && html` · <a href=${`tel:${duty.phone.replace(/[^+\d]/g, "")}`}>${duty.phone}</a>`}
              </li>`,
          )}
        </ul>
      </details>`
    }
    ${
      contingencies.length > 0 &&
      html`<details>
        <summary>${t("scenario.contingencies")} (${contingencies.length})</summary>
        <ul>
          ${contingencies.map((/** @type {any} */ each) => html`<li key=${each.when}><b>${each.when}</b>: ${each.then}</li>`)}
        </ul>
      </details>`
    }
  </div>`;
}

/** @param {any} item what of an item is written */
const written = ({ planned_start: _, planned_end: __, held: ___, ...item }) => item;

/** What may be edited of an agenda. @param {any} agenda */
const editable = (agenda) => ({
  begins_at: agenda?.begins_at ?? null,
  items: (agenda?.items ?? []).map(written),
  duties: agenda?.duties ?? [],
  contingencies: agenda?.contingencies ?? [],
});

/** @param {{desk: import("./conference.js").Desk, onClose: () => void}} props */
function EditDialog({ desk, onClose }) {
  const agenda = desk.agenda.agenda.value;
  /** What the form began with: another's change of it must not be overwritten unseen. */
  const [base, setBase] = useState(() => ({ version: agenda?.version ?? 0, ...editable(agenda) }));
  const [form, setForm] = useState(() => editable(agenda));
  const [mine, setMine] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useFaultFocus(error, box);
  const people = desk.model.ids.value.map((id) => ({ id, name: desk.model.person(id)?.label ?? id }));
  const tree = useUnitsHere(desk.model);
  const faults = faultsOf(error);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setError(null);
    try {
      await keep(base.version);
      onClose();
    } catch (reason) {
      setError(reason);
    }
  };
  const keep = async (/** @type {number} */ version) => {
    try {
      await desk.agenda.send("PUT", "", form, version);
    } catch (reason) {
      // The next item was begun meanwhile: nobody has touched what is edited here.
      const now = desk.agenda.agenda.peek();
      const { version: _, ...began } = base;
      const same = JSON.stringify(editable(now)) === JSON.stringify(began);
      if (!(reason instanceof ApiError) || reason.status !== 412 || !same || now?.version === version) throw reason;
      await desk.agenda.send("PUT", "", form, now?.version);
    }
  };
  const loadNewer = async () => {
    await desk.agenda.read();
    const now = desk.agenda.agenda.peek();
    setMine(form);
    setForm(editable(now));
    setBase({ version: now?.version ?? 0, ...editable(now) });
    setError(null);
    focusSoon(".overtaken");
  };
  const named = (/** @type {string} */ id) =>
    desk.model.person(id)?.label ?? tree.find(({ unit }) => unit.id === id)?.unit.name ?? id;
  return html`<${Dialog} title=${t("agenda.edit")} onClose=${onClose} wide>
    <form class="scenario" autocomplete="off" novalidate ref=${box} onSubmit=${save}>
      ${error && html`<${ProblemOrNewer} error=${error} onLoad=${loadNewer} />`}
      ${
        mine &&
        html`<${Mine}
          differences=${differencesOf(mine, form, agendaMembers(named))}
          onTake=${(/** @type {string[]} */ names) =>
            setForm({ ...form, ...Object.fromEntries(names.map((name) => [name, mine[name]])) })}
          onDrop=${() => setMine(null)}
        />`
      }
      <p class="quiet">${t("agenda.edit-explain")}</p>
      <${ItemsForm}
        items=${form.items}
        change=${(/** @type {any[]} */ items) => setForm({ ...form, items })}
        people=${people}
        tree=${tree}
        faults=${faults}
        held=${agenda?.current}
      />
      <${DutiesForm}
        duties=${form.duties}
        change=${(/** @type {any[]} */ duties) => setForm({ ...form, duties })}
        people=${people}
        faults=${faults}
      />
      <${ContingenciesForm}
        contingencies=${form.contingencies}
        change=${(/** @type {any[]} */ contingencies) => setForm({ ...form, contingencies })}
        faults=${faults}
      />
      <div class="row-of-buttons">
        <button type="submit" class="primary">${t("scenario.save")}</button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}
