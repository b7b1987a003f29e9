// @ts-check
// Merging a unit into another, and splitting one: each is one step, and cannot be taken back.

import { html, useState } from "../shared/base.js";
import { get, request } from "../shared/api.js";
import { Dialog, show } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { fold, t } from "../shared/i18n.js";
import { ProblemOrNewer } from "./overtaken.js";
import { subtree } from "./start.js";
import { UnitSelect } from "./unit-select.js";

export const LEVELS = ["province", "district", "commune", "agency", "central"];
const KINDS = /** @type {const} */ (["units", "bridges", "scenarios"]);

/** @typedef {import("./units.js").Registry} Registry */
/**
 * @typedef {{unit: any, registry: Registry, onClose: () => void, onDone: () => void,
 *            onReload: () => Promise<void>}} UnitDialog `onReload` reads the registry anew
 */

/** What is asked is refused if somebody has changed the unit meanwhile. @param {any} unit */
export const unchanged = (unit) => ({ "If-Match": `"${unit.version}"` });

/** @param {any} unit */
export const path = (unit) => `units/${encodeURIComponent(unit.id)}`;

/**
 * A unit that somebody else may change while a dialog about it is open: its newer version is
 * loaded when asked for, what was entered stays.
 * @param {any} unit @param {Registry} registry @param {() => Promise<void>} onReload reads the registry anew
 * @returns {{now: any, load: () => Promise<any>, note: any}} `note`: what the unit is now
 */
export function useNewerUnit(unit, registry, onReload) {
  const [now, setNow] = useState(unit);
  const load = async () => {
    const [newer] = await Promise.all([get(path(unit)), onReload()]);
    setNow(newer);
    return newer;
  };
  const above = registry.units.find(({ id }) => id === now.parent)?.name ?? now.parent;
  const said = [now.name, t(`units.level.${now.level}`), above].filter(Boolean).join(" · ");
  const note = now !== unit && html`<p class="note" role="status">${t("overtaken.unit", { now: said })}</p>`;
  return { now, load, note };
}

/** @param {UnitDialog} props */
export function MergeDialog({ unit, registry, onClose, onDone, onReload }) {
  const { now, load, note } = useNewerUnit(unit, registry, onReload);
  const [into, setInto] = useState("");
  const [keepTokens, setKeepTokens] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [waiting, setWaiting] = useState(false);
  const newer = () => load().then(() => setError(null), setError);
  const merge = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setWaiting(true);
    setError(null);
    try {
      const json = { merged_into: into, ...(keepTokens && { keep_tokens: true }) };
      const after = await request(path(unit), { method: "PATCH", json, headers: unchanged(now) });
      const { name } = await after.json();
      show({ tone: "good", text: t("units.merged", { name: unit.name, into: name }) });
      onDone();
    } catch (reason) {
      setError(reason);
      setWaiting(false);
    }
  };
  return html`<${Dialog} title=${t("units.merge-of", { name: unit.name })} onClose=${onClose}>
    <p class="note">${t("units.merge-explain", { name: unit.name })}</p>
    ${note}
    ${error && html`<${ProblemOrNewer} error=${error} onLoad=${newer} />`}
    <form class="stacked" onSubmit=${merge}>
      <label
        >${t("units.merge-into")}
        <${UnitSelect}
          tree=${registry.tree}
          value=${into}
          onPick=${setInto}
          none=${t("units.choose")}
          leave=${subtree(registry.units, unit.id)}
          autofocus=${true}
        />
      </label>
      <label class="choice"
        ><input
          type="checkbox"
          checked=${keepTokens}
          onChange=${(/** @type {any} */ e) => setKeepTokens(e.target.checked)}
        />${t("units.keep-tokens")}</label
      >
      <div class="row-of-buttons">
        <button type="submit" class="danger solid" disabled=${!into || waiting}>
          ${t("units.merge-now")}
        </button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}

/** An id out of a name, where none is given: "Xã Vạn Ninh" is xa-van-ninh. @param {string} name */
export const idOf = (name) =>
  fold(name)
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 64);

/** @param {UnitDialog} props */
export function SplitDialog({ unit, registry, onClose, onDone, onReload }) {
  const { now, load, note } = useNewerUnit(unit, registry, onReload);
  const blank = { name: "", id: "", level: unit.level };
  const [parts, setParts] = useState([{ ...blank }, { ...blank }]);
  /** Which part takes along what stands in the unit, by kind and id; absent: it stays. */
  const [taken, setTaken] = useState(/** @type {Record<string, number>} */ ({}));
  const [dissolve, setDissolve] = useState(true);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [waiting, setWaiting] = useState(false);
  const holding = registry.held.get(unit.id);
  const change = (/** @type {number} */ index, /** @type {any} */ values) =>
    setParts(parts.map((part, at) => (at === index ? { ...part, ...values } : part)));
  const newer = () => load().then(() => setError(null), setError);
  const split = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setWaiting(true);
    setError(null);
    const into = parts.map((part, index) => ({
      id: part.id || idOf(part.name),
      name: part.name.trim(),
      level: part.level,
      ...Object.fromEntries(
        KINDS.map((kind) => [
          kind,
          (holding?.[kind] ?? []).map(({ id }) => id).filter((id) => taken[`${kind}/${id}`] === index),
        ]),
      ),
    }));
    try {
      await request(`${path(unit)}/split`, {
        method: "POST",
        json: { into, dissolve },
        headers: unchanged(now),
      });
      show({ tone: "good", text: t("units.splitted", { name: unit.name, count: into.length }) });
      onDone();
    } catch (reason) {
      setError(reason);
      setWaiting(false);
    }
  };
  return html`<${Dialog} title=${t("units.split-of", { name: unit.name })} onClose=${onClose} wide=${true}>
    <p class="note">${t("units.split-explain", { name: unit.name })}</p>
    ${note}
    ${error && html`<${ProblemOrNewer} error=${error} onLoad=${newer} />`}
    <form class="stacked" onSubmit=${split} autocomplete="off">
      <ol class="unit-parts">
        ${parts.map(
          (part, index) =>
            html`<li key=${index}>
              <${Part} part=${part} first=${index === 0} change=${(/** @type {any} */ values) => change(index, values)} />
              ${
                index > 0 &&
                index === parts.length - 1 &&
                html`<button
                  type="button"
                  class="bare"
                  aria-label=${t("units.part-remove")}
                  onClick=${() => {
                    setParts(parts.slice(0, -1));
                    setTaken(Object.fromEntries(Object.entries(taken).filter(([, at]) => at !== index)));
                  }}
                >
                  <${Icon} name="close" />
                </button>`
              }
            </li>`,
        )}
      </ol>
      <button type="button" class="small" onClick=${() => setParts([...parts, { ...blank }])}>
        <${Icon} name="plus" />${t("units.part-add")}
      </button>
      <${Sharing} holding=${holding} parts=${parts} taken=${taken} setTaken=${setTaken} />
      <label class="choice"
        ><input
          type="checkbox"
          checked=${dissolve}
          onChange=${(/** @type {any} */ e) => setDissolve(e.target.checked)}
        />${t("units.dissolve", { name: unit.name })}</label
      >
      <div class="row-of-buttons">
        <button
          type="submit"
          class="danger solid"
          disabled=${waiting || parts.some((part) => !part.name.trim())}
        >
          ${t("units.split-now")}
        </button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}

/** @param {{part: any, first: boolean, change: (values: any) => void}} props */
function Part({ part, first, change }) {
  return html`<label
      >${t("units.column.name")}
      <input
        required
        maxlength="200"
        autofocus=${first}
        value=${part.name}
        onInput=${(/** @type {any} */ e) => change({ name: e.target.value })}
      />
    </label>
    <label
      >${t("units.id")}
      <input
        maxlength="64"
        pattern="[A-Za-z0-9]([A-Za-z0-9._\\-]*[A-Za-z0-9])?"
        placeholder=${idOf(part.name)}
        value=${part.id}
        onInput=${(/** @type {any} */ e) => change({ id: e.target.value.trim() })}
      />
    </label>
    <label
      >${t("units.column.level")}
      <select
        value=${part.level}
        onChange=${(/** @type {any} */ e) => change({ level: e.target.value })}
      >
        ${LEVELS.map((level) => html`<option key=${level} value=${level}>${t(`units.level.${level}`)}</option>`)}
      </select>
    </label>`;
}

/** Who takes along what stands in the unit.
 * @param {{holding: import("./units.js").Holding | undefined, parts: any[],
 *          taken: Record<string, number>, setTaken: (taken: Record<string, number>) => void}} props */
function Sharing({ holding, parts, taken, setTaken }) {
  const all = KINDS.flatMap((kind) => (holding?.[kind] ?? []).map((each) => ({ kind, each })));
  if (!all.length) return null;
  const pick = (/** @type {string} */ key, /** @type {string} */ value) => {
    const { [key]: _, ...rest } = taken;
    setTaken(value === "" ? rest : { ...rest, [key]: Number(value) });
  };
  return html`<fieldset>
    <legend>${t("units.shares")}</legend>
    <ul class="unit-shares">
      ${all.map(({ kind, each }) => {
        const key = `${kind}/${each.id}`;
        return html`<li key=${key}>
          <label
            ><span>${each.name} <span class="quiet">· ${t(`units.kind.${kind}`)}</span></span>
            <select
              value=${String(taken[key] ?? "")}
              onChange=${(/** @type {any} */ e) => pick(key, e.target.value)}
            >
              <option value="">${t("units.stays")}</option>
              ${parts.map(
                (part, index) =>
                  html`<option key=${index} value=${String(index)}>
                    ${part.name || t("units.part", { number: index + 1 })}
                  </option>`,
              )}
            </select>
          </label>
        </li>`;
      })}
    </ul>
  </fieldset>`;
}
