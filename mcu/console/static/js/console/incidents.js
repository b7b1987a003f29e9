// @ts-check
// Incidents of the operator's units: who deals with which, what was said, opened and closed.

import { classes, html, useEffect, useRef, useState } from "../shared/base.js";
import { get, send, session } from "../shared/api.js";
import { Dialog, Problem, showError, Toasts } from "../shared/controls.js";
import { focusFirst } from "../shared/focus.js";
import { Icon } from "../shared/icons.js";
import { dayAndClock, language, t } from "../shared/i18n.js";
import { titleInWords } from "./alarms.js";
import { DrillBadge } from "./drill.js";
import { TopBar, useTitle } from "./frame.js";
import { readUnits, unitName, units } from "./registry.js";

const STATES = ["open", "closed", "all"];
const SEVERITIES = ["critical", "major", "minor"];

/** @param {{id?: string}} props */
export function IncidentsScreen({ id }) {
  useTitle(t("incidents.title"));
  const [items, setItems] = useState(/** @type {any[] | null} */ (null));
  const [cursor, setCursor] = useState(/** @type {string | null} */ (null));
  const [wanted, setWanted] = useState("open");
  const [error, setError] = useState(/** @type {any} */ (null));
  const [opening, setOpening] = useState(false);
  const mayWrite = ["admin", "operator"].includes(session.value?.role);

  /** @param {string | null} [after] */
  const read = async (after = null) => {
    try {
      const query = new URLSearchParams({ limit: "50" });
      if (wanted !== "all") query.set("state", wanted);
      if (after) query.set("cursor", after);
      const page = await get(`incidents?${query}`);
      setItems((before) => (after ? [...(before ?? []), ...page.items] : page.items));
      setCursor(page.next_cursor);
      setError(null);
      if (!units.peek().size) await readUnits();
    } catch (reason) {
      setError(reason);
    }
  };
  useEffect(() => void read(), [wanted]);
  const query = `?lang=${language.value}${wanted === "all" ? "" : `&state=${wanted}`}`;
  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("incidents.title")}</h1>
    <//>
    <${Toasts} />
    <main class="page incidents">
      <div class="page-head">
        <div class="row-of-buttons" role="group" aria-label=${t("incidents.which")}>
          ${STATES.map(
            (state) =>
              html`<button
                type="button"
                key=${state}
                aria-pressed=${String(wanted === state)}
                onClick=${() => setWanted(state)}
              >
                ${t(`incidents.${state}`)}
              </button>`,
          )}
        </div>
        <div class="row-of-buttons">
          <a class="button" href=${`/api/v1/incidents.csv${query}`} download>CSV</a>
          ${
            mayWrite &&
            html`<button type="button" class="primary" onClick=${() => setOpening(true)}>
              <${Icon} name="plus" />${t("incidents.new")}
            </button>`
          }
        </div>
      </div>
      ${error && html`<${Problem} error=${error} />`}
      ${items === null && !error && html`<p class="quiet">${t("loading")}</p>`}
      ${items?.length === 0 && html`<p class="empty">${t("incidents.none")}</p>`}
      <div class="incident-columns">
        <ul class="incident-list" aria-label=${t("incidents.title")}>
          ${(items ?? []).map(
            (one) =>
              html`<li key=${one.id} class=${classes(one.severity, one.state, one.id === id && "chosen")}>
                <a href=${`#/incidents/${encodeURIComponent(one.id)}`} aria-current=${one.id === id ? "true" : undefined}>
                  <b>${titleInWords(one.title)} ${one.drill && html`<${DrillBadge} />`}</b>
                  <span class="quiet">${line(one)}</span>
                </a>
              </li>`,
          )}
          ${
            cursor &&
            html`<li>
              <button type="button" onClick=${() => void read(cursor)}>${t("incidents.more")}</button>
            </li>`
          }
        </ul>
        ${id && html`<${One} key=${id} id=${id} mayWrite=${mayWrite} changed=${() => void read()} />`}
      </div>
    </main>
    ${opening && html`<${New} onClose=${() => setOpening(false)} />`}`;
}

/** @param {any} one */
function line(one) {
  return [
    t(`severity.${one.severity}`),
    t(`incidents.${one.state}`),
    one.bridge_name ?? one.bridge ?? unitName(one.unit),
    dayAndClock(one.opened_at),
    one.assignee,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** @param {{id: string, mayWrite: boolean, changed: () => void}} props */
function One({ id, mayWrite, changed }) {
  const [one, setOne] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const turn = useRef(Promise.resolve(true));
  const [assignee, setAssignee] = useState(/** @type {string | null} */ (null));
  const path = `incidents/${encodeURIComponent(id)}`;
  useEffect(() => {
    let current = true;
    get(path).then(
      (found) => current && setOne(found),
      (reason) => current && setError(reason),
    );
    return () => {
      current = false;
    };
  }, [path]);

  /**
   * One change after the other: who names somebody and closes at once does both.
   * @param {any} body
   */
  const change = (body) => {
    turn.current = turn.current.then(() => carryOut(body));
    return turn.current;
  };
  /** @param {any} body */
  const carryOut = async (body) => {
    try {
      setOne(await send("PATCH", path, body));
      setError(null);
      changed();
      return true;
    } catch (reason) {
      setError(reason);
      return false;
    }
  };
  const say = async (/** @type {any} */ event, /** @type {any} */ more = {}) => {
    event.preventDefault();
    const form = event.target.closest("form");
    const comment = form.elements.comment.value.trim();
    const body = { ...more, ...(comment ? { comment } : {}) };
    if (Object.keys(body).length && (await change(body))) form.reset();
  };
  // Who has chosen it goes on in it, not with the next of a long list.
  useEffect(() => {
    if (one) focusFirst(".incident");
  }, [one?.id]);
  if (error && !one) return html`<section class="card"><${Problem} error=${error} /></section>`;
  if (!one) return html`<p class="quiet">${t("loading")}</p>`;
  const open = one.state === "open";
  return html`<section class="card incident" tabindex="-1" aria-label=${titleInWords(one.title)}>
    <h2>${titleInWords(one.title)} ${one.drill && html`<${DrillBadge} />`}</h2>
    <p class="quiet">${line(one)}</p>
    ${one.conference && html`<p><a href=${`#/conferences/${encodeURIComponent(one.conference)}`}>${t("incident.conference")}</a></p>`}
    <${Problem} error=${error} />
    <ol class="incident-entries">
      ${one.entries.map(
        (/** @type {any} */ entry, /** @type {number} */ at) =>
          html`<li key=${at}>
            <span class="quiet">${dayAndClock(entry.at)} · ${entry.by} · ${t(`incident.entry.${entry.kind}`)}</span>
            ${entry.text && html`<p>${entry.text}</p>`}
          </li>`,
      )}
    </ol>
    ${
      mayWrite &&
      html`<form onSubmit=${say}>
        ${
          open &&
          html`<label
            >${t("incident.assignee")}
            <input
              name="assignee"
              maxlength="200"
              value=${assignee ?? one.assignee ?? ""}
              onInput=${(/** @type {any} */ e) => setAssignee(e.target.value)}
              onChange=${(/** @type {any} */ e) => void change({ assignee: e.target.value })}
            />
          </label>`
        }
        <label
          >${t("incident.comment")}
          <textarea name="comment" rows="2" maxlength="500"></textarea>
        </label>
        <div class="row-of-buttons">
          <button type="submit">
            <${Icon} name="message" />${t("incident.say")}
          </button>
          <button
            type="button"
            class=${open ? "primary" : ""}
            onClick=${(/** @type {any} */ e) => say(e, { state: open ? "closed" : "open" })}
          >
            <${Icon} name=${open ? "check" : "refresh"} />${t(open ? "incident.close" : "incident.reopen")}
          </button>
        </div>
      </form>`
    }
  </section>`;
}

/** @param {{onClose: () => void}} props */
function New({ onClose }) {
  const [waiting, setWaiting] = useState(false);
  const open = async (/** @type {any} */ event) => {
    event.preventDefault();
    const { title, severity, unit, bridge, comment } = event.target.elements;
    const body = { title: title.value, severity: severity.value };
    if (bridge.value.trim()) Object.assign(body, { bridge: bridge.value.trim() });
    else Object.assign(body, { unit: unit.value });
    if (comment.value.trim()) Object.assign(body, { comment: comment.value.trim() });
    setWaiting(true);
    try {
      const made = await send("POST", "incidents", body);
      onClose();
      location.hash = `#/incidents/${encodeURIComponent(made.id)}`;
    } catch (reason) {
      showError(reason);
      setWaiting(false);
    }
  };
  return html`<${Dialog} title=${t("incidents.new")} onClose=${onClose}>
    <form class="stack" onSubmit=${open}>
      <label>${t("incident.title")} <input name="title" required maxlength="200" autofocus /></label>
      <label
        >${t("incident.severity")}
        <select name="severity">
          ${SEVERITIES.map((one) => html`<option key=${one} value=${one} selected=${one === "major"}>${t(`severity.${one}`)}</option>`)}
        </select>
      </label>
      <label
        >${t("incident.unit")}
        <select name="unit">
          ${[...units.value.values()].map((unit) => html`<option key=${unit.id} value=${unit.id}>${unit.name}</option>`)}
        </select>
      </label>
      <label>${t("incident.bridge")} <input name="bridge" maxlength="64" /></label>
      <label>${t("incident.comment")} <textarea name="comment" rows="2" maxlength="500"></textarea></label>
      <div class="row-of-buttons">
        <button type="submit" class="primary" disabled=${waiting}>${t("incident.open")}</button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}
