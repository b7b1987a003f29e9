// @ts-check
// Starting a conference: name, unit, who is expected, who presides, which layout.

import { html, useEffect, useMemo, useState } from "../shared/base.js";
import { getAll, send } from "../shared/api.js";
import { Problem, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, t } from "../shared/i18n.js";
import { LAYOUT_NAMES, Thumbnail, layoutLabel } from "../shared/layouts.js";
import { TopBar, useTitle } from "./frame.js";
import { RoomChoice } from "./room-choice.js";
import { NameAndUnit } from "./unit-select.js";

/**
 * Units as a tree in reading order, with their depth.
 * @param {any[]} units @returns {{unit: any, depth: number}[]}
 */
export function inTreeOrder(units) {
  const ids = new Set(units.map((unit) => unit.id));
  /** @type {Map<string | null, any[]>} */
  const children = new Map();
  for (const unit of units) {
    const parent = ids.has(unit.parent) ? unit.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), unit]);
  }
  /** @type {{unit: any, depth: number}[]} */
  const out = [];
  const walk = (/** @type {string | null} */ parent, /** @type {number} */ depth) => {
    for (const unit of (children.get(parent) ?? []).sort((a, b) => byName(a.name, b.name))) {
      out.push({ unit, depth });
      walk(unit.id, depth + 1);
    }
  };
  walk(null, 0);
  return out;
}

/** Ids of a unit and everything under it. @param {any[]} units @param {string} root */
export function subtree(units, root) {
  const found = new Set([root]);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const unit of units) if (found.has(unit.parent)) found.add(unit.id);
  }
  return found;
}

export function StartScreen() {
  useTitle(t("start.title"));
  const [registry, setRegistry] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [form, setForm] = useState({ name: "", unit: "", whole: true, layout: "auto", chair: "", pin: "", later: false, drill: false });
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
  const [waiting, setWaiting] = useState(false);
  const change = (/** @type {any} */ values) => setForm((old) => ({ ...old, ...values }));

  const load = () => {
    setError(null);
    Promise.all([getAll("units"), getAll("bridges")]).then(([units, bridges]) => {
      const tree = inTreeOrder(units);
      setRegistry({ units, bridges, tree });
      if (tree.length) change({ unit: tree[0].unit.id });
    }, setError);
  };
  useEffect(load, []);

  const bridges = useMemo(() => {
    if (!registry) return [];
    const inside = subtree(registry.units, form.unit);
    return registry.bridges
      .filter((/** @type {any} */ bridge) => !form.whole || inside.has(bridge.unit))
      .sort(
        (/** @type {any} */ a, /** @type {any} */ b) =>
          b.importance - a.importance || byName(a.name, b.name),
      );
  }, [registry, form.unit, form.whole]);
  const unitName = (/** @type {string} */ id) =>
    registry?.units.find((/** @type {any} */ unit) => unit.id === id)?.name ?? id;
  const placed = (/** @type {any} */ bridge) => {
    const unit = registry.units.find((/** @type {any} */ u) => u.id === bridge.unit);
    return unit?.parent && unit.parent !== form.unit ? unitName(unit.parent) : "";
  };
  const wanted = form.whole ? bridges : bridges.filter((/** @type {any} */ b) => chosen.has(b.id));

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setWaiting(true);
    setError(null);
    try {
      const conference = await send("POST", "conferences", {
        name: form.name.trim(),
        unit: form.unit,
        layout: form.layout,
        pin: form.pin || null,
        busy: "ask",
        drill: form.drill,
        calls: form.later ? "when_convened" : "at_once",
        bridges: form.whole ? "subtree" : [...chosen],
        chair: wanted.some((/** @type {any} */ b) => b.id === form.chair) ? form.chair : null,
      });
      location.hash = `#/conferences/${encodeURIComponent(conference.id)}`;
    } catch (reason) {
      setError(reason);
      setWaiting(false);
    }
  };

  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("start.title")}</h1>
    <//>
    <${Toasts} />
    <main class="page">
      ${error && html`<${Problem} error=${error} />`}
      ${error && !registry && html`<button type="button" onClick=${load}><${Icon} name="refresh" />${t("try-again")}</button>`}
      ${!registry && !error && html`<p class="quiet">${t("loading")}</p>`}
      ${
        registry &&
        html`<form class="start" onSubmit=${submit} autocomplete="off">
          <section class="card">
            <${NameAndUnit} form=${form} change=${change} tree=${registry.tree} />
            <label
              >${t("start.chair")}
              <select
                value=${form.chair}
                onChange=${(/** @type {any} */ e) => change({ chair: e.target.value })}
              >
                <option value="">${t("start.no-chair")}</option>
                ${wanted.map((/** @type {any} */ bridge) => html`<option key=${bridge.id} value=${bridge.id}>${bridge.name}</option>`)}
              </select>
            </label>
            <label
              >${t("start.pin")}
              <input
                value=${form.pin}
                inputmode="numeric"
                pattern="[0-9]{4,10}"
                maxlength="10"
                placeholder=${t("start.pin-none")}
                onInput=${(/** @type {any} */ e) => change({ pin: e.target.value.trim() })}
              />
            </label>
            <label class="choice" title=${t("start.later.explain")}
              ><input
                type="checkbox"
                checked=${form.later}
                onChange=${(/** @type {any} */ e) => change({ later: e.target.checked })}
              />${t("start.later")}</label
            >
            <label class="choice" title=${t("start.drill.explain")}
              ><input
                type="checkbox"
                checked=${form.drill}
                onChange=${(/** @type {any} */ e) => change({ drill: e.target.checked })}
              />${t("start.drill")}</label
            >
            ${form.drill && html`<p class="quiet">${t("start.drill.explain")}</p>`}
            <fieldset>
              <legend>${t("start.layout")}</legend>
              <div class="thumbnails">
                ${LAYOUT_NAMES.map(
                  (name) =>
                    html`<button
                      type="button"
                      key=${name}
                      class="thumb"
                      aria-pressed=${String(form.layout === name)}
                      onClick=${() => change({ layout: name })}
                    >
                      <${Thumbnail} name=${name} /><span>${layoutLabel(name)}</span>
                    </button>`,
                )}
              </div>
            </fieldset>
          </section>
          <section class="card bridges">
            <fieldset>
              <legend>${t("start.bridges")}</legend>
              <label class="choice"
                ><input
                  type="radio"
                  name="which"
                  checked=${form.whole}
                  onChange=${() => change({ whole: true })}
                />${t("start.subtree", { unit: unitName(form.unit) })}</label
              >
              <label class="choice"
                ><input
                  type="radio"
                  name="which"
                  checked=${!form.whole}
                  onChange=${() => change({ whole: false })}
                />${t("start.choose")}</label
              >
            </fieldset>
            ${
              form.whole
                ? html`<ul class="bridge-list">
                    ${bridges.map(
                      (/** @type {any} */ bridge) =>
                        html`<li key=${bridge.id}>
                          <span class="bridge-line"
                            ><span>${bridge.name}</span
                            ><span class="quiet">${placed(bridge)}</span></span
                          >
                        </li>`,
                    )}
                  </ul>`
                : html`<${RoomChoice} tree=${registry.tree} rooms=${bridges} chosen=${chosen} change=${setChosen} />`
            }
          </section>
          <footer class="start-foot">
            <p class="quiet">${t("start.expected", { count: wanted.length })}</p>
            <button
              type="submit"
              class="primary"
              disabled=${waiting || !form.name.trim() || !form.unit}
            >
              ${t(waiting ? "start.waiting" : "start.submit")}
            </button>
          </footer>
        </form>`
      }
    </main>`;
}
