// @ts-check
// The conferences that run, and the way to each of them.

import { html, signal, useEffect, useRef } from "../shared/base.js";
import { getAll, session } from "../shared/api.js";
import { Problem, Toasts } from "../shared/controls.js";
import { EventStream } from "../shared/events.js";
import { Icon } from "../shared/icons.js";
import { byName, dayAndClock, t } from "../shared/i18n.js";
import { DrillBadge } from "./drill.js";
import { Elsewhere } from "./elsewhere.js";
import { TopBar, useTitle } from "./frame.js";
import { hasReceived, Received, readReceived } from "./invitations.js";
import { LinkBanner } from "./banner.js";
import { load, LoadBanner } from "./load.js";
import { readUnits, unitName, units } from "./registry.js";
import { readsReports } from "./report.js";

/** @type {import("../../vendor/signals.js").Signal<any[] | null>} */
const conferences = signal(null);
const failure = signal(/** @type {any} */ (null));
/** @type {import("../../vendor/signals.js").Signal<import("../shared/events.js").Link>} */
const link = signal({ state: "connecting", retryAt: 0, attempt: 0 });

const CHANGES = /^(conference|participant|broadcast)\.(?!measured)/;
let timer = 0;

async function read() {
  try {
    conferences.value = await getAll("conferences?state=running");
    failure.value = null;
    if (!units.peek().size) await readUnits();
  } catch (error) {
    failure.value = error;
  }
}

/** @param {any} event */
function receive(event) {
  if (event.type === "load.measured") load.value = event.data;
  if (event.type === "invitation.changed") void readReceived();
  if (!CHANGES.test(event.type) || timer) return;
  timer = setTimeout(() => {
    timer = 0;
    void read();
    if (hasReceived()) void readReceived();
  }, 700); // one reading for a burst of joins
}

export function ListScreen() {
  useTitle(t("list.title"));
  const events = useRef(/** @type {EventStream | null} */ (null));
  useEffect(() => {
    const stream = (events.current = new EventStream("/api/v1/events", {
      onEvent: receive,
      onOpen: () => {
        void read();
        void readReceived();
      },
      onLink: (now) => (link.value = now),
      asks: true,
    }));
    return () => {
      clearTimeout(timer);
      timer = 0;
      stream.stop();
    };
  }, []);
  const running = [...(conferences.value ?? [])].sort((a, b) => byName(a.name, b.name));
  const mayStart = ["admin", "operator"].includes(session.value?.role);
  return html`<${TopBar}><h1>${t("list.title")}</h1><//>
    <${Toasts} />
    <${LinkBanner} link=${link.value} retry=${() => events.current?.retryNow()} />
    <${LoadBanner} />
    <main class="page">
      <div class="page-head">
        <p class="quiet">${conferences.value && t("list.running", { count: running.length })}</p>
        <div class="row-of-buttons">
          <a class="button" href="#/ended"><${Icon} name="clock" />${t("ended.title")}</a>
          ${readsReports() && html`<a class="button" href="#/months"><${Icon} name="clock" />${t("month.short")}</a>`}
          <a class="button" href="#/incidents"><${Icon} name="warning" />${t("incidents.title")}</a>
          <a class="button" href="#/readiness"><${Icon} name="check" />${t("readiness.title")}</a>
          <a class="button" href="#/scenarios"><${Icon} name="list" />${t("scenarios.title")}</a>
          <a class="button" href="#/units"><${Icon} name="grid" />${t("units.title")}</a>
          <a class="button" href="#/rooms"><${Icon} name="phone" />${t("rooms.title")}</a>
          ${mayStart && html`<a class="button primary" href="#/start"><${Icon} name="plus" />${t("list.start")}</a>`}
        </div>
      </div>
      ${failure.value && html`<${Problem} error=${failure.value} />`}
      ${conferences.value === null && !failure.value && html`<p class="quiet">${t("loading")}</p>`}
      ${
        conferences.value && running.length === 0 &&
        html`<div class="empty">
          <p>${t("list.empty")}</p>
          ${mayStart && html`<p class="quiet">${t("list.empty-hint")}</p>`}
        </div>`
      }
      <${Received} />
      <${Elsewhere} />
      <ul class="conferences">
        ${running.map((conference) => html`<li key=${conference.id}><${Entry} conference=${conference} /></li>`)}
      </ul>
    </main>`;
}

/** @param {{conference: any}} props */
function Entry({ conference }) {
  const { counts } = conference;
  const total = Object.values(counts).reduce((/** @type {number} */ a, b) => a + Number(b), 0);
  return html`<a
    class="conference-entry"
    href=${`#/conferences/${encodeURIComponent(conference.id)}`}
  >
    <div>
      <h2>${conference.name}</h2>
      <p class="quiet">
        ${[unitName(conference.unit), t("list.since", { time: dayAndClock(conference.started_at) })].join(" · ")}
      </p>
    </div>
    <div class="badges">
      ${conference.drill && html`<${DrillBadge} />`}
      ${conference.locked && html`<span class="badge"><${Icon} name="lock" />${t("locked")}</span>`}
      ${conference.broadcast && html`<span class="badge live"><${Icon} name="broadcast" />${t("broadcast.on")}</span>`}
      ${counts.lost > 0 && html`<span class="badge bad"><${Icon} name="lost" />${t("list.lost", { count: counts.lost })}</span>`}
    </div>
    <div class="ratio">
      <b>${counts.connected}</b><span>/${total}</span>
      <p class="quiet">${t("list.present")}</p>
      <meter min="0" max=${total || 1} value=${counts.connected}></meter>
    </div>
  </a>`;
}
