// @ts-check
// One scenario as a form: checked without being kept, saved under the version that was read.

import { html, useEffect, useMemo, useRef, useState } from "../shared/base.js";
import { ApiError, get, getAll, request, send, session } from "../shared/api.js";
import { Dialog, Problem, show, showError, Toasts } from "../shared/controls.js";
import { focusSoon } from "../shared/focus.js";
import { Icon } from "../shared/icons.js";
import { byName, duration, t } from "../shared/i18n.js";
import { LAYOUT_NAMES, layoutLabel } from "../shared/layouts.js";
import { nameBy } from "../shared/refusals.js";
import { at, ContingenciesForm, DutiesForm, Faults, faultsOf, ItemsForm, useFaultFocus } from "./agenda-form.js";
import { scenarioMembers } from "./agenda-words.js";
import { TopBar, useTitle } from "./frame.js";
import { differencesOf, Mine, ProblemOrNewer } from "./overtaken.js";
import { RoomChoice } from "./room-choice.js";
import { inTreeOrder, subtree } from "./start.js";
import { NameAndUnit } from "./unit-select.js";

const EMPTY = {
  name: "",
  unit: "",
  expected: "subtree",
  chair: null,
  layout: "auto",
  begins_at: null,
  items: [],
  duties: [],
  contingencies: [],
};

/** A time as the browser's field takes it, in the operator's zone. @param {string | null} time */
function localTime(time) {
  if (!time) return "";
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {{id: string}} props `new` for one that is to be made */
export function ScenarioScreen({ id }) {
  const [registry, setRegistry] = useState(/** @type {any} */ (null));
  const [form, setForm] = useState(/** @type {any} */ (null));
  const [version, setVersion] = useState(0);
  const [error, setError] = useState(/** @type {any} */ (null));
  /** What was entered when somebody else saved first; null: nothing is kept. */
  const [mine, setMine] = useState(/** @type {any} */ (null));
  const [waiting, setWaiting] = useState(false);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useFaultFocus(error, box);
  const [deleting, setDeleting] = useState(false);
  useTitle(form?.name || t("scenarios.new"));
  const path = `scenarios/${encodeURIComponent(id)}`;
  const isNew = id === "new";
  const mayWrite = ["admin", "operator"].includes(session.value?.role);

  useEffect(() => {
    Promise.all([
      getAll("units"),
      getAll("bridges"),
      isNew ? Promise.resolve(EMPTY) : get(path),
    ]).then(([units, bridges, scenario]) => {
      const tree = inTreeOrder(units);
      setRegistry({ units, bridges, tree });
      const { id: _, version: now = 0, changed_at: __, ...document } = scenario;
      setVersion(now);
      setForm({ ...document, unit: document.unit || tree[0]?.unit.id || "" });
    }, setError);
  }, [id]);
  const nameOf = useMemo(() => {
    const names = new Map(
      [...(registry?.units ?? []), ...(registry?.bridges ?? [])].map((each) => [each.id, each.name]),
    );
    return (/** @type {string} */ each) => names.get(each);
  }, [registry]);
  useEffect(() => nameBy(nameOf), [nameOf]);

  const inside = useMemo(() => {
    if (!registry || !form) return [];
    const within = subtree(registry.units, form.unit);
    return registry.bridges
      .filter((/** @type {any} */ bridge) => within.has(bridge.unit))
      .sort((/** @type {any} */ a, /** @type {any} */ b) => b.importance - a.importance || byName(a.name, b.name));
  }, [registry, form?.unit]);
  if (!form) {
    return html`<${Bar} title=${t("loading")} />
      <main class="page">
        ${error ? html`<${Problem} error=${error} />` : html`<p class="quiet">${t("loading")}</p>`}
      </main>`;
  }

  const change = (/** @type {any} */ values) => setForm({ ...form, ...values });
  const people =
    form.expected === "subtree"
      ? inside
      : form.expected.map(
          (/** @type {string} */ each) =>
            registry.bridges.find((/** @type {any} */ bridge) => bridge.id === each) ?? {
              id: each,
              name: each,
            },
        );
  const faults = faultsOf(error);
  const named = (/** @type {string} */ each) => nameOf(each) ?? each;
  /** The version that another has saved, with what was entered here kept beside it. */
  const loadNewer = async () => {
    try {
      const { id: _, version: now, changed_at: __, ...document } = await get(path);
      setMine(form);
      setVersion(now);
      setForm(document);
      setError(null);
      focusSoon(".overtaken");
    } catch (reason) {
      setError(reason);
    }
  };

  const check = async () => {
    setError(null);
    try {
      const found = await send("POST", "scenarios:validate", form);
      if (found.valid) {
        const text = t("scenario.valid", { time: duration(found.duration_s), count: found.expected });
        show({ tone: "good", text });
      } else setError(new ApiError(422, { type: "invalid-input", errors: found.errors }));
    } catch (reason) {
      setError(reason);
    }
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setWaiting(true);
    setError(null);
    try {
      if (isNew) {
        const made = await send("POST", "scenarios", form);
        show({ tone: "good", text: t("scenario.saved") });
        location.hash = `#/scenarios/${encodeURIComponent(made.id)}`;
      } else {
        const headers = { "If-Match": `"${version}"` };
        const saved = await (await request(path, { method: "PUT", json: form, headers })).json();
        const { id: _, version: now, changed_at: __, ...document } = saved;
        setVersion(now);
        setForm(document);
        setMine(null);
        show({ tone: "good", text: t("scenario.saved") });
      }
    } catch (reason) {
      setError(reason);
    }
    setWaiting(false);
  };
  const remove = async () => {
    try {
      await send("DELETE", path);
      location.hash = "#/scenarios";
    } catch (reason) {
      showError(reason);
      setDeleting(false);
    }
  };

  return html`<${Bar} title=${form.name || t("scenarios.new")} />
    <main class="page">
      ${error && html`<${ProblemOrNewer} error=${error} onLoad=${loadNewer} />`}
      ${
        mine &&
        html`<${Mine}
          differences=${differencesOf(mine, form, scenarioMembers(named))}
          onTake=${(/** @type {string[]} */ names) =>
            change(Object.fromEntries(names.map((name) => [name, mine[name]])))}
          onDrop=${() => setMine(null)}
        />`
      }
      <form class="scenario" autocomplete="off" novalidate ref=${box} onSubmit=${save}>
        <fieldset class="scenario-body" disabled=${!mayWrite}>
          <section class="card scenario-head">
            <${NameAndUnit}
              form=${form}
              change=${change}
              tree=${registry.tree}
              autofocus=${isNew}
              mark=${(/** @type {string} */ field) => at(faults, field)}
            />
            <label
              >${t("scenario.begins")}
              <input
                ...${at(faults, "begins_at")}
                type="datetime-local"
                value=${localTime(form.begins_at)}
                onChange=${(/** @type {any} */ e) =>
                  change({ begins_at: e.target.value ? new Date(e.target.value).toISOString() : null })}
              />
            </label>
            <label
              >${t("start.chair")}
              <select
                ...${at(faults, "chair")}
                value=${form.chair ?? ""}
                onChange=${(/** @type {any} */ e) => change({ chair: e.target.value || null })}
              >
                <option value="">${t("start.no-chair")}</option>
                ${people.map((/** @type {any} */ bridge) => html`<option key=${bridge.id} value=${bridge.id}>${bridge.name}</option>`)}
              </select>
            </label>
            <label
              >${t("start.layout")}
              <select
                ...${at(faults, "layout")}
                value=${form.layout}
                onChange=${(/** @type {any} */ e) => change({ layout: e.target.value })}
              >
                ${LAYOUT_NAMES.map((name) => html`<option key=${name} value=${name}>${layoutLabel(name)}</option>`)}
              </select>
            </label>
            <${Faults} faults=${faults} belongs=${isOfHead} />
          </section>
          <${ExpectedForm} form=${form} change=${change} inside=${inside} registry=${registry} />
          <${Faults} faults=${faults} path="expected" />
          <${ItemsForm}
            items=${form.items}
            change=${(/** @type {any[]} */ items) => change({ items })}
            people=${people}
            tree=${registry.tree}
            faults=${faults}
          />
          <${DutiesForm}
            duties=${form.duties}
            change=${(/** @type {any[]} */ duties) => change({ duties })}
            people=${people}
            faults=${faults}
          />
          <${ContingenciesForm}
            contingencies=${form.contingencies}
            change=${(/** @type {any[]} */ contingencies) => change({ contingencies })}
            faults=${faults}
          />
        </fieldset>
        <footer class="scenario-foot">
          <${Toasts} />
          ${
            !isNew &&
            html`<a class="button" href=${`/api/v1/${path}.yaml`} download>YAML</a>
              <a class="button" href=${`/api/v1/${path}/agenda.csv`} download
                >${t("scenario.csv-agenda")}</a
              >
              <a class="button" href=${`/api/v1/${path}/duties.csv`} download
                >${t("scenario.csv-duties")}</a
              >
              ${
                mayWrite &&
                html`<button type="button" class="danger" onClick=${() => setDeleting(true)}>
                  ${t("scenario.delete")}
                </button>`
              }`
          }
          <span class="spacer"></span>
          ${
            mayWrite &&
            html`<button type="button" onClick=${check}>
                <${Icon} name="check" />${t("scenario.check")}
              </button>
              <button type="submit" class="primary" disabled=${waiting}>
                ${t("scenario.save")}
              </button>`
          }
        </footer>
      </form>
      ${
        deleting &&
        html`<${Dialog} title=${t("scenario.delete")} onClose=${() => setDeleting(false)}>
          <p>${t("scenario.delete-explain", { name: form.name })}</p>
          <div class="row-of-buttons">
            <button type="button" class="danger solid" onClick=${remove}>
              ${t("scenario.delete")}
            </button>
            <button type="button" autofocus onClick=${() => setDeleting(false)}>
              ${t("cancel")}
            </button>
          </div>
        <//>`
      }
    </main>`;
}

/** Whether a fault is one of the fields at the top. @param {string} field */
const isOfHead = (field) => /^(name|unit|chair|layout|begins_at)$/.test(field);

/** @param {{form: any, change: (values: any) => void, inside: any[], registry: any}} props */
function ExpectedForm({ form, change, inside, registry }) {
  const whole = form.expected === "subtree";
  const chosen = new Set(whole ? [] : form.expected);
  return html`<section class="card">
    <fieldset>
      <legend>
        ${`${t("start.bridges")} · ${t("start.expected", { count: whole ? inside.length : chosen.size })}`}
      </legend>
      <label class="choice"
        ><input
          type="radio"
          name="which"
          checked=${whole}
          onChange=${() => change({ expected: "subtree" })}
        />${t("start.subtree", { unit: registry.units.find((/** @type {any} */ u) => u.id === form.unit)?.name ?? "" })}</label
      >
      <label class="choice"
        ><input
          type="radio"
          name="which"
          checked=${!whole}
          onChange=${() => change({ expected: inside.map((/** @type {any} */ b) => b.id) })}
        />${t("start.choose")}</label
      >
    </fieldset>
    ${
      !whole &&
      html`<${RoomChoice}
        tree=${registry.tree}
        rooms=${registry.bridges}
        chosen=${chosen}
        change=${(/** @type {Set<string>} */ next) => change({ expected: [...next] })}
      />`
    }
  </section>`;
}

/** @param {{title: string}} props */
const Bar = ({ title }) =>
  html`<${TopBar}>
      <a class="button bare" href="#/scenarios" aria-label=${t("scenarios.title")}
        ><${Icon} name="back"
      /></a>
      <h1>${title}</h1>
    <//>`;
