// @ts-check
// What one bridge did in a month, for the department in charge: attendance, quality, incidents.

import { html, useEffect, useState } from "../shared/base.js";
import { getAll, request } from "../shared/api.js";
import { Problem, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, dayAndClock, duration, language, number, t } from "../shared/i18n.js";
import { titleInWords } from "./alarms.js";
import { TopBar, useTitle } from "./frame.js";
import { readUnits, unitName, units } from "./registry.js";
import { download, readsReports, WAITS_MS } from "./report.js";

/** So many months back may be chosen; older ones by their address. */
const BACK = 24;

/** Where a bridge's month stands. @param {string} bridge @param {string} [month] as 2026-11 */
export const monthAddress = (bridge, month) =>
  `#/months/${encodeURIComponent(bridge)}${month ? `/${month}` : ""}`;

/** The way to it from wherever a bridge is shown. @param {{bridge: string, name: string, small?: boolean}} props */
export const MonthLink = ({ bridge, name, small }) =>
  readsReports() &&
  html`<a
    class=${small ? "button small" : "button"}
    href=${monthAddress(bridge)}
    aria-label=${t("month.of", { name })}
    ><${Icon} name="clock" />${t("month.short")}</a
  >`;

/** @param {Date} day */
const keyOf = (day) => `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}`;

/** @param {string} key as 2026-11 @param {number} by months */
function stepped(key, by) {
  const [year, month] = key.split("-").map(Number);
  return keyOf(new Date(year, month - 1 + by, 1));
}

/** @param {string} key */
const inWords = (key) => t("month.name", { month: key.slice(5), year: key.slice(0, 4) });

/** @param {{id: string}} props the bridge, and after a slash the month; empty: none is chosen */
export function MonthScreen({ id }) {
  const [bridge, asked] = id.split("/").map(decodeURIComponent);
  const now = keyOf(new Date());
  const month = /^20\d\d-(0[1-9]|1[0-2])$/.test(asked ?? "") ? asked : now;
  useTitle(t("month.title"));
  const [bridges, setBridges] = useState(/** @type {any[] | null} */ (null));
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!units.peek().size) void readUnits();
    getAll("bridges").then((all) => setBridges(all.sort((a, b) => byName(a.name, b.name))), setError);
  }, []);
  useEffect(() => {
    setFound(null);
    if (!bridge) return undefined;
    const abort = new AbortController();
    setError(null);
    const path = `reports/bridges/${encodeURIComponent(bridge)}?month=${month}`;
    request(path, { waits: WAITS_MS, signal: abort.signal })
      .then((response) => response.json())
      .then(setFound)
      .catch((reason) => abort.signal.aborted || setError(reason));
    return () => abort.abort();
  }, [bridge, month, turn]);
  const entry = bridges?.find((one) => one.id === bridge);
  const go = (/** @type {string} */ to, /** @type {string} */ when) => {
    location.hash = monthAddress(to, when);
  };
  const choices = Array.from({ length: BACK }, (_, at) => stepped(now, -at));
  if (!choices.includes(month)) choices.push(month);
  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("month.title")}</h1>
    <//>
    <${Toasts} />
    <main class="page month">
      <div class="month-tools">
        <label
          >${t("month.room")}
          <select
            id="month-room"
            value=${bridge}
            disabled=${!bridges}
            onChange=${(/** @type {any} */ e) => go(e.target.value, month)}
          >
            ${!entry && html`<option value=${bridge}>${bridge || t("month.choose")}</option>`}
            ${(bridges ?? []).map((one) => html`<option key=${one.id} value=${one.id}>${labelOf(one)}</option>`)}
          </select>
        </label>
        <label
          >${t("month")}
          <select
            id="month-month"
            value=${month}
            disabled=${!bridge}
            onChange=${(/** @type {any} */ e) => go(bridge, e.target.value)}
          >
            ${choices.map((key) => html`<option key=${key} value=${key}>${inWords(key)}</option>`)}
          </select>
        </label>
        <button type="button" disabled=${!bridge} onClick=${() => go(bridge, stepped(month, -1))}>
          ${t("month.previous")}
        </button>
        <button type="button" disabled=${!bridge || month >= now} onClick=${() => go(bridge, stepped(month, 1))}>
          ${t("month.next")}
        </button>
      </div>
      ${
        error &&
        html`<${Problem} error=${error} />
          <p>
            <button type="button" onClick=${() => setTurn(turn + 1)}><${Icon} name="refresh" />${t("try-again")}</button>
          </p>`
      }
      ${!bridge && html`<p class="empty">${t("month.choose-first")}</p>`}
      ${bridge && !found && !error && html`<p class="quiet" role="status">${t("month.making")}</p>`}
      ${
        found &&
        html`<h2>${[entry?.name ?? bridge, inWords(month)].join(" · ")}</h2>
          ${entry && html`<p class="quiet">${unitName(entry.unit)}</p>`}
          <${Files} bridge=${bridge} month=${month} />
          <${Sums} found=${found} />
          <${Conferences} rows=${found.conferences} />
          <${Incidents} rows=${found.incidents} />`
      }
    </main>`;
}

/** Its name, and its unit where that is not told by it. @param {any} bridge */
function labelOf(bridge) {
  const unit = unitName(bridge.unit);
  return unit === bridge.name ? bridge.name : `${bridge.name} (${unit})`;
}

/** @param {{bridge: string, month: string}} props */
function Files({ bridge, month }) {
  const [making, setMaking] = useState("");
  const [error, setError] = useState(/** @type {any} */ (null));
  const path = `reports/bridges/${encodeURIComponent(bridge)}`;
  const save = async (/** @type {string} */ what) => {
    setMaking(what);
    setError(null);
    try {
      await download(path + what, `report-${bridge}-${month}.json`);
    } catch (reason) {
      setError(reason);
    }
    setMaking("");
  };
  const files = [
    [`.pdf?month=${month}&lang=vi`, t("month.pdf-vi")],
    [`.pdf?month=${month}&lang=en`, t("month.pdf-en")],
    [`.csv?month=${month}`, t("month.csv")],
    [`.csv?month=${month}&table=incidents&lang=${language.value}`, t("month.csv-incidents")],
    [`?month=${month}`, "JSON"],
  ];
  return html`<section class="month-files" aria-label=${t("month.files")}>
    <div class="row-of-buttons">
      ${files.map(
        ([what, label]) =>
          html`<button type="button" key=${what} disabled=${making !== ""} onClick=${() => save(what)}>
            <${Icon} name="download" />${label}
          </button>`,
      )}
      <span role="status" class="quiet">${making && t("report.making")}</span>
    </div>
    <${Problem} error=${error} />
  </section>`;
}

/** @param {{found: any}} props */
function Sums({ found }) {
  const facts = [
    [t("month.attended"), t("month.of-all", { count: found.attended, all: found.expected })],
    [t("month.present"), duration(found.present_s)],
    [t("month.lost"), lostInWords(found)],
    [t("month.heard"), duration(found.heard_s)],
    [t("month.loss"), `${percent(found.loss_percent)} / ${percent(found.worst_loss_percent)}`],
    [t("month.round-trip"), ms(found.round_trip_ms)],
    [t("month.open"), number(found.incidents_open)],
  ];
  return html`<dl class="month-sums">
    ${facts.map(
      ([name, value]) =>
        html`<div key=${name}>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** @param {{rows: any[]}} props */
const Conferences = ({ rows }) =>
  html`<section aria-label=${t("month.conferences")}>
    <h3>${t("month.conferences")}</h3>
    ${rows.length === 0 && html`<p class="quiet">${t("month.no-conferences")}</p>`}
    ${
      rows.length > 0 &&
      html`<${Table}
        label=${t("month.conferences")}
        columns=${["began", "conference", "status", "present", "lost", "heard", "loss", "round-trip", "jitter", "picture", "incidents"]}
      >
        ${rows.map(
          (row) =>
            html`<tr key=${row.conference}>
              <td>${dayAndClock(row.started_at)}</td>
              <th scope="row">
                <a href=${`#/conferences/${encodeURIComponent(row.conference)}`}>${row.name}</a>
                ${row.incomplete && html` <span class="tag">${t("month.incomplete")}</span>`}
              </th>
              <td>${row.status ? t(`roll.status.${row.status}`) : "–"}</td>
              <td class="amount">${row.present_s ? duration(row.present_s) : t("month.absent")}</td>
              <td class="amount">${row.lost_count ? lostInWords(row) : "–"}</td>
              <td class="amount">${row.heard_s ? duration(row.heard_s) : "–"}</td>
              <td class="amount">${row.loss_percent === null ? "–" : `${percent(row.loss_percent)} / ${percent(row.worst_loss_percent)}`}</td>
              <td class="amount">${ms(row.round_trip_ms)}</td>
              <td class="amount">${ms(row.jitter_ms)}</td>
              <td class="amount">${picture(row.height)}</td>
              <td class="amount">${row.incidents ? number(row.incidents) : "–"}</td>
            </tr>`,
        )}
      <//>`
    }
  </section>`;

/** @param {{rows: any[]}} props */
const Incidents = ({ rows }) =>
  html`<section aria-label=${t("month.incidents")}>
    <h3>${t("month.incidents")}</h3>
    ${rows.length === 0 && html`<p class="quiet">${t("incidents.none")}</p>`}
    ${
      rows.length > 0 &&
      html`<${Table} label=${t("month.incidents")} columns=${["opened", "incident", "severity", "assignee", "closed"]}>
        ${rows.map(
          (row) =>
            html`<tr key=${row.id}>
              <td>${dayAndClock(row.opened_at)}</td>
              <th scope="row"><a href=${`#/incidents/${encodeURIComponent(row.id)}`}>${titleInWords(row.title)}</a></th>
              <td>${t(`severity.${row.severity}`)}</td>
              <td>${row.assignee || "–"}</td>
              <td>${row.closed_at ? dayAndClock(row.closed_at) : t("incidents.open")}</td>
            </tr>`,
        )}
      <//>`
    }
  </section>`;

/** Where it is wider than the page it scrolls, by keys too.
 * @param {{label: string, columns: string[], children?: any}} props */
const Table = ({ label, columns, children }) =>
  html`<div class="month-table" tabindex="0" role="region" aria-label=${label}>
    <table>
      <thead>
        <tr>
          ${columns.map((column) => html`<th key=${column} scope="col">${t(`month.column.${column}`)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${children}
      </tbody>
    </table>
  </div>`;

/** @param {{lost_count: number, lost_s: number}} row */
const lostInWords = ({ lost_count, lost_s }) =>
  t("month.times", { count: lost_count, time: duration(lost_s) });

/** @param {number | null} value */
const percent = (value) => (value === null ? "–" : `${number(value, 1)} %`);

/** @param {number | null} value */
const ms = (value) => (value === null ? "–" : `${number(value)} ms`);

/** @param {number | null} height */
function picture(height) {
  if (height === null) return "–";
  return height ? `${height}p` : t("month.sound-only");
}
