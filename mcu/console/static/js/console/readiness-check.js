// @ts-check
// One readiness check: its progress, the go / no-go table, one room once more, by mouse or keys.

import { classes, html, useEffect, useRef, useState } from "../shared/base.js";
import { get, send, session } from "../shared/api.js";
import { Problem, show, showError, Toasts } from "../shared/controls.js";
import { EventStream } from "../shared/events.js";
import { Icon } from "../shared/icons.js";
import { dayAndClock, duration, hasText, number, t } from "../shared/i18n.js";
import { titleInWords } from "./alarms.js";
import { LinkBanner } from "./banner.js";
import { TopBar, useTitle } from "./frame.js";
import { listKeys, useKeys } from "./keys.js";
import { readUnits, unitName, units } from "./registry.js";

const READ_AGAIN_MS = 700; // one reading for a burst of changes
/** @type {import("../shared/events.js").Link} */
const CONNECTING = { state: "connecting", retryAt: 0, attempt: 0 };

const KEYS = [
  [["↑", "↓"], "keys.move"],
  [["Enter"], "keys.measured"],
  [["C"], "keys.recheck"],
  [["?"], "keys.help"],
];

/** @param {{id: string}} props */
export function ReadinessCheckScreen({ id }) {
  const path = `readiness-checks/${encodeURIComponent(id)}`;
  const [check, setCheck] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [link, setLink] = useState(CONNECTING);
  const events = useRef(/** @type {EventStream | null} */ (null));
  const [open, setOpen] = useState("");
  const [only, setOnly] = useState(false);
  /** The room that keys act on, wherever the focus is. */
  const [chosen, setChosen] = useState("");
  useTitle(check?.name ?? t("readiness.title"));

  useEffect(() => {
    let timer = 0;
    const read = async () => {
      timer = 0;
      try {
        setCheck(await get(path));
        setError(null);
        if (!units.peek().size) await readUnits();
      } catch (reason) {
        setError(reason);
      }
    };
    const stream = (events.current = new EventStream("/api/v1/events", {
      onEvent: (event) => {
        if (event.type === "readiness.changed" && event.data.check === id)
          timer ||= setTimeout(read, READ_AGAIN_MS);
      },
      onOpen: () => void read(),
      onLink: setLink,
      asks: true,
    }));
    return () => {
      clearTimeout(timer);
      stream.stop();
    };
  }, [id]);

  useEffect(() => listKeys(KEYS), []);
  const mayCheck = ["admin", "operator"].includes(session.value?.role);
  const rooms = (check?.rooms ?? []).filter((/** @type {any} */ room) => !only || room.verdict !== "go");
  const place = useRef(-1);
  const at = rooms.findIndex((/** @type {any} */ room) => room.bridge === chosen);
  if (at >= 0) place.current = at;
  const step = (/** @type {number} */ by) => {
    // Where the chosen one is not shown any more, those beside it have moved up.
    const to = at < 0 && by > 0 ? Math.max(place.current, 0) : place.current + by;
    const next = rooms[Math.min(Math.max(to, 0), rooms.length - 1)];
    if (next) rowOf(next.bridge)?.focus();
  };
  useKeys({
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    C: () => {
      if (mayCheck && at >= 0) void order(chosen, "recheck");
    },
  });
  const order = async (/** @type {string} */ bridge, /** @type {string} */ what, /** @type {any} */ body) => {
    try {
      const after = await send("POST", `${path}/rooms/${encodeURIComponent(bridge)}/${what}`, body);
      setCheck(after ?? (await get(path)));
    } catch (reason) {
      showError(reason);
    }
  };

  if (!check) {
    return html`<${TopBar}><h1>${t("readiness.title")}</h1><//>
      <main class="page">
        ${error ? html`<${Problem} error=${error} />` : html`<p class="quiet">${t("loading")}</p>`}
      </main>`;
  }
  return html`<${TopBar}>
      <a class="button bare" href="#/readiness" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${check.name}</h1>
    <//>
    <${Toasts} />
    <${LinkBanner} link=${link} retry=${() => events.current?.retryNow()} />
    <main class="page readiness">
      <${Progress} check=${check} />
      <div class="page-head">
        <label class="inline"
          ><input type="checkbox" checked=${only} onChange=${() => setOnly(!only)} />${t("readiness.only")}</label
        >
        <div class="row-of-buttons">
          <a class="button" href=${`/api/v1/${path}.csv`} download>CSV</a>
          ${
            mayCheck &&
            check.running &&
            html`<button
              type="button"
              onClick=${() => send("DELETE", path).then(async () => setCheck(await get(path)), showError)}
            >
              ${t("readiness.cancel")}
            </button>`
          }
        </div>
      </div>
      <p class="quiet">${t("readiness.keys")}</p>
      <${Table}
        rooms=${rooms}
        mayCheck=${mayCheck}
        chosen=${chosen}
        choose=${setChosen}
        open=${open}
        toggle=${(/** @type {string} */ bridge) => setOpen(open === bridge ? "" : bridge)}
        order=${order}
      />
    </main>`;
}

/** @param {{check: any}} props */
function Progress({ check }) {
  const { counts } = check;
  const total = check.rooms.length;
  const done = counts.go + counts.no_go;
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!check.running) return undefined;
    const timer = setInterval(() => redraw((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [check.running]);
  const seconds = check.total_s ?? (Date.now() - Date.parse(check.began_at)) / 1000;
  return html`<section class="card readiness-progress" role="status">
    <div class="badges">
      <span class=${classes("badge", counts.go > 0 && "good")}><${Icon} name="check" />${t("readiness.go", { count: counts.go })}</span>
      <span class=${classes("badge", counts.no_go > 0 && "bad")}>
        ${counts.no_go > 0 && html`<${Icon} name="warning" />`}${t("readiness.no-go", { count: counts.no_go })}
      </span>
      ${["waiting", "reaching", "reached", "measuring", "confirming"].map(
        (phase) =>
          counts[phase] > 0 &&
          html`<span class="badge" key=${phase}>${t(`readiness.phase.${phase}`)}: ${counts[phase]}</span>`,
      )}
    </div>
    <progress max=${total} value=${done} aria-label=${t("readiness.progress")}></progress>
    <p class="quiet">
      ${[
        t("readiness.done", { done, total }),
        duration(seconds),
        check.running ? t("readiness.goes-on") : t(`readiness.end.${check.reason}`),
      ].join(" · ")}
    </p>
  </section>`;
}

/** @param {string} bridge */
const rowOf = (bridge) =>
  /** @type {HTMLElement | null} */ (document.querySelector(`tr[data-bridge="${CSS.escape(bridge)}"]`));

/** @param {{rooms: any[], mayCheck: boolean, chosen: string, choose: (bridge: string) => void,
 *           open: string, toggle: (bridge: string) => void,
 *           order: (bridge: string, what: string, body?: any) => Promise<void>}} props */
function Table({ rooms, mayCheck, chosen, choose, open, toggle, order }) {
  return html`<table class="readiness-table">
    <thead>
      <tr>
        <th>${t("readiness.result")}</th>
        <th>${t("readiness.room")}</th>
        <th>${t("readiness.reason")}</th>
        <th>${t("readiness.contact")}</th>
        <th><span class="unseen">${t("readiness.actions")}</span></th>
      </tr>
    </thead>
    <tbody>
      ${rooms.map(
        (room) =>
          html`<${Row}
            key=${room.bridge}
            room=${room}
            mayCheck=${mayCheck}
            chosen=${chosen === room.bridge}
            choose=${choose}
            open=${open === room.bridge}
            toggle=${toggle}
            order=${order}
          />`,
      )}
    </tbody>
  </table>`;
}

/** @param {any} props */
function Row({ room, mayCheck, chosen, choose, open, toggle, order }) {
  const refusing = room.findings.filter((/** @type {any} */ one) => ["fault", "missing"].includes(one.weight));
  const notes = room.findings.filter((/** @type {any} */ one) => one.weight === "note");
  const changed = room.findings.some((/** @type {any} */ one) =>
    ["changed", "nothing-recorded"].includes(one.code),
  );
  const done = room.phase === "done";
  const said = done ? (refusing.length ? refusing : notes) : [];
  return html`<tr
      tabindex="0"
      data-bridge=${room.bridge}
      class=${chosen ? "chosen" : ""}
      aria-expanded=${String(open)}
      onClick=${() => choose(room.bridge)}
      onfocusin=${() => choose(room.bridge)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" && event.target === event.currentTarget) toggle(room.bridge);
      }}
    >
      <td>
        ${
          done
            ? html`<span class=${`badge ${room.verdict === "go" ? "good" : "bad"}`}
                ><${Icon} name=${room.verdict === "go" ? "check" : "warning"} />${t(`readiness.verdict.${room.verdict}`)}</span
              >`
            : html`<span class="badge">${t(`readiness.phase.${room.phase}`)}</span>`
        }
      </td>
      <td>
        <button type="button" class="bare name" onClick=${() => toggle(room.bridge)}>${room.name}</button>
        <p class="quiet">${unitName(room.unit)}</p>
      </td>
      <td class=${refusing.length ? "bad-text" : "quiet"}>
        ${said.map((/** @type {any} */ one, /** @type {number} */ index) => html`<p key=${index}>${words(one)}</p>`)}
      </td>
      <td>
        ${room.contact.name}
        ${room.contact.phone && html`<p><a href=${`tel:${room.contact.phone.replaceAll(" ", "")}`}>${room.contact.phone}</a></p>`}
      </td>
      <td>
        <div class="row-of-buttons">
        ${
          mayCheck &&
          !done &&
          room.confirmation === null &&
          ["measuring", "confirming"].includes(room.phase) &&
          html`<button type="button" class="small" onClick=${() => order(room.bridge, "confirmation", { heard: true })}>
            ${t("readiness.heard")}
          </button>`
        }
        ${
          mayCheck &&
          done &&
          html`<button type="button" class="small" onClick=${() => order(room.bridge, "recheck")}>
            <${Icon} name="refresh" />${t("readiness.again")}
          </button>`
        }
        ${
          mayCheck &&
          done &&
          changed &&
          room.measured &&
          html`<button
            type="button"
            class="small"
            title=${t("readiness.accept.explain")}
            onClick=${() =>
              order(room.bridge, "acceptance").then(() =>
                show({ tone: "good", text: t("readiness.accepted", { name: room.name }) }),
              )}
          >
            ${t("readiness.accept")}
          </button>`
        }
        </div>
      </td>
    </tr>
    ${open && html`<tr><td colspan="5"><${Details} room=${room} /></td></tr>`}`;
}

/** @param {{room: any}} props */
function Details({ room }) {
  const [history, setHistory] = useState(/** @type {any[] | null} */ (null));
  useEffect(() => {
    get(`bridges/${encodeURIComponent(room.bridge)}/readiness?limit=6`).then(
      (found) => setHistory(found.items),
      showError,
    );
  }, [room.bridge, room.verdict]);
  const { line, sound, picture, configuration } = room.measured ?? {};
  return html`<div class="readiness-details">
    <ul>
      ${room.findings.map(
        (/** @type {any} */ one, /** @type {number} */ index) =>
          html`<li key=${index} class=${`is-${one.weight}`}>
            <${Icon} name=${one.weight === "good" ? "check" : one.weight === "note" ? "help" : "warning"} />
            <span><b>${t(`readiness.topic.${one.topic}`)}</b> ${words(one)}</span>
          </li>`,
      )}
    </ul>
    ${
      line &&
      html`<dl>
        ${fact("readiness.loss", percent(line.loss_up_percent), percent(line.loss_down_percent))}
        ${fact("readiness.jitter", ms(line.jitter_up_ms), ms(line.jitter_down_ms))}
        ${fact("readiness.capacity", kbits(line.capacity_up_bps), kbits(line.capacity_down_bps))}
        ${fact("readiness.trip", ms(line.round_trip_ms))}
        ${fact("readiness.speech", sound.level_dbov === null ? "–" : `${number(sound.level_dbov, 1)} dBov`)}
        ${fact("readiness.picture", picture.width ? `${picture.width}×${picture.height}, ${number(picture.fps ?? 0, 1)}/s` : "–")}
        ${Object.entries(configuration)
          .filter(([, value]) => value !== null)
          .map(([name, value]) => fact(`readiness.what.${name}`, String(value)))}
      </dl>`
    }
    <div>
      <h3>
        ${t("readiness.history")}
        <a
          class="button small"
          href=${`/api/v1/bridges/${encodeURIComponent(room.bridge)}/readiness.csv`}
          download
          >CSV</a
        >
      </h3>
      ${history?.map(
        (one, index) =>
          html`<p key=${index}>
            <a href=${`#/readiness/${encodeURIComponent(one.check)}`}>${dayAndClock(one.since)}</a>
            · ${t(`readiness.verdict.${one.verdict}`)}
          </p>`,
      )}
    </div>
  </div>`;
}

/** @param {string} label @param {string[]} values */
const fact = (label, ...values) => html`<div><dt>${t(label)}</dt><dd>${values.join(" / ")}</dd></div>`;
const percent = (/** @type {number | null} */ value) => (value === null ? "–" : `${number(value, 1)} %`);
const ms = (/** @type {number | null} */ value) => (value === null ? "–" : `${number(value)} ms`);
const kbits = (/** @type {number | null} */ value) => (value === null ? "–" : `${number(value / 1000)} kbit/s`);

/** A finding in the reader's language. @param {any} finding */
function words(finding) {
  const values = { ...finding.values };
  if (finding.code === "changed") values.what = t(`readiness.what.${values.what}`);
  for (const [name, value] of Object.entries(values))
    if (typeof value === "number") values[name] = number(value, Number.isInteger(value) ? 0 : 1);
  if (finding.code === "incident") values.text = titleInWords(String(values.text));
  const cause = `call.${values.cause}`;
  if (finding.code === "unreached")
    values.cause = hasText(cause) ? t(cause) : t("readiness.no-answer");
  return t(`readiness.f.${finding.code}`, values);
}
