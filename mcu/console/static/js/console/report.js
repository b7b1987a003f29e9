// @ts-check
// A conference's report: on paper, as tables; and the list of conferences that are over.

import { html, useEffect, useState } from "../shared/base.js";
import { getAll, request, session } from "../shared/api.js";
import { Dialog, Problem, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { dayAndClock, duration, fold, language, t } from "../shared/i18n.js";
import { DrillBadge } from "./drill.js";
import { TopBar, useTitle } from "./frame.js";
import { useKeys } from "./keys.js";
import { readUnits, unitName } from "./registry.js";

const TABLES = ["rooms", "faults", "incidents", "agenda", "roll-calls", "recordings", "drill", "minutes", "actions"];
export const WAITS_MS = 75_000; // the server gives a report up after 70 s, and says so
const SHOWN = 200; // of a search; the newest first

/** Who may read reports: rooms and technicians may not. */
export const readsReports = () => ["admin", "operator", "observer"].includes(session.value?.role);

/**
 * Fetch a file and hand it to the browser, so that a failure can say what to do.
 * @param {string} path
 * @param {string} [name] of what has none of its own
 */
export async function download(path, name = "report") {
  const response = await request(path, { waits: WAITS_MS });
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = named?.[1] ?? name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** @param {{conference: any, onClose: () => void}} props */
export function ReportDialog({ conference, onClose }) {
  const [making, setMaking] = useState("");
  const [error, setError] = useState(/** @type {any} */ (null));
  const path = `conferences/${encodeURIComponent(conference.id)}/report`;
  const fetch = async (/** @type {string} */ what) => {
    setMaking(what);
    setError(null);
    try {
      await download(path + what);
    } catch (failure) {
      setError(failure);
    }
    setMaking("");
  };
  /** @param {{what: string, label: string, primary?: boolean}} props */
  const File = ({ what, label, primary }) =>
    html`<button
      type="button"
      class=${primary ? "primary" : ""}
      autofocus=${primary}
      disabled=${making !== ""}
      onClick=${() => fetch(what)}
    >
      ${label}
    </button>`;
  return html`<${Dialog} title=${t("report.title", { name: conference.name })} onClose=${onClose}>
    ${conference.state === "running" && html`<p class="quiet">${t("report.running")}</p>`}
    ${error && html`<${Problem} error=${error} />`}
    <h3>${t("report.paper")}</h3>
    <div class="row-of-buttons">
      ${File({ what: ".pdf?lang=vi", label: t("report.vi"), primary: true })}
      ${File({ what: ".pdf?lang=en", label: t("report.en") })}
    </div>
    <h3>${t("report.tables")}</h3>
    <div class="row-of-buttons">
      ${TABLES.map((table) => File({ what: `.csv?table=${table}&lang=${language.value}`, label: t(`report.table.${table}`) }))}
    </div>
    <p role="status" class="quiet">${making && t("report.making")}</p>
    <div class="row-of-buttons">
      <button type="button" onClick=${onClose}>${t("close")}</button>
    </div>
  <//>`;
}

export function EndedScreen() {
  useTitle(t("ended.title"));
  const [all, setAll] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState(/** @type {any} */ (null));
  useEffect(() => {
    void readUnits().catch(() => null); // names are nicer than ids, no more
    getAll("conferences?state=ended").then((ended) => {
      setAll(ended.sort((a, b) => b.started_at.localeCompare(a.started_at)));
    }, setError);
  }, []);
  useKeys({ "/": () => document.getElementById("ended-search")?.focus() });
  const found = (all ?? []).filter((each) =>
    fold(`${each.name} ${unitName(each.unit)} ${each.id}`).includes(fold(search)),
  );
  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("ended.title")}</h1>
    <//>
    <${Toasts} />
    <main class="page">
      <div class="page-head">
        <p class="quiet">${all && t("ended.count", { count: found.length })}</p>
        <a class="button" href="/api/v1/conferences.csv?state=ended" download>CSV</a>
        <div class="search">
          <${Icon} name="search" /><input
            id="ended-search"
            type="search"
            placeholder=${t("ended.search")}
            aria-label=${t("ended.search")}
            value=${search}
            onInput=${(/** @type {any} */ e) => setSearch(e.target.value)}
          />
        </div>
      </div>
      ${error && html`<${Problem} error=${error} />`}
      ${!all && !error && html`<p class="quiet">${t("loading")}</p>`}
      ${all && !found.length && html`<div class="empty"><p>${t("ended.none")}</p></div>`}
      <ul class="unit-list">
        ${found
          .slice(0, SHOWN)
          .map(
            (each) =>
              html`<${Ended} key=${each.id} conference=${each} onReport=${() => setOpen(each)} />`,
          )}
      </ul>
      ${found.length > SHOWN && html`<p class="quiet">${t("ended.more", { count: SHOWN })}</p>`}
    </main>
    ${open && html`<${ReportDialog} conference=${open} onClose=${() => setOpen(null)} />`}`;
}

/** @param {{conference: any, onReport: () => void}} props */
function Ended({ conference, onReport }) {
  const { started_at, ended_at } = conference;
  const lasted = (Date.parse(ended_at) - Date.parse(started_at)) / 1000;
  return html`<li class="unit-entry">
    <div>
      <h2>${conference.name} ${conference.drill && html`<${DrillBadge} />`}</h2>
      <p class="quiet">
        ${[unitName(conference.unit), dayAndClock(started_at), duration(lasted)].join(" · ")}
      </p>
    </div>
    <div class="row-of-buttons">
      <a class="button small" href=${`#/conferences/${encodeURIComponent(conference.id)}`}
        >${t("ended.look")}</a
      >
      ${
        readsReports() &&
        html`<button
          type="button"
          class="small"
          aria-label=${t("report.of", { name: conference.name })}
          onClick=${onReport}
        >
          <${Icon} name="list" />${t("report")}
        </button>`
      }
    </div>
  </li>`;
}
