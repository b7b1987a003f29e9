// @ts-check
// The registry's rooms: made and changed; of hardware rooms, which have signed in, from where, and
// what a technician types into them.

import { classes, html, signal, useEffect, useRef, useState } from "../shared/base.js";
import { getAll, send, session } from "../shared/api.js";
import { Dialog, Problem, show, showError, Toasts } from "../shared/controls.js";
import { EventStream } from "../shared/events.js";
import { Icon } from "../shared/icons.js";
import { byName, dayAndClock, fold, hasText, t } from "../shared/i18n.js";
import { LinkBanner } from "./banner.js";
import { READ_AGAIN_MS, whereInWords } from "./elsewhere.js";
import { TopBar, useTitle } from "./frame.js";
import { useKeys } from "./keys.js";
import { load, LoadBanner } from "./load.js";
import { MonthLink } from "./month.js";
import { readUnits, unitName, units } from "./registry.js";
import { readsReports } from "./report.js";
import { RoomDialog } from "./room-form.js";
import { SecretDialog } from "./secret.js";
import { inTreeOrder } from "./start.js";

/** Bridges by id; null until they were read. */
const rooms = signal(/** @type {Map<string, any> | null} */ (null));
const failure = signal(/** @type {any} */ (null));
/** @type {import("../../vendor/signals.js").Signal<import("../shared/events.js").Link>} */
const link = signal({ state: "connecting", retryAt: 0, attempt: 0 });

async function read() {
  try {
    const bridges = await getAll("bridges");
    rooms.value = new Map(bridges.map((bridge) => [bridge.id, bridge]));
    failure.value = null;
    if (!units.peek().size) await readUnits();
  } catch (error) {
    failure.value = error;
  }
}

/** @param {any} event */
function receive({ type, data }) {
  if (type === "load.measured") load.value = data;
  if (["bridge.registered", "bridge.unregistered", "bridge.refused"].includes(type))
    put(data.bridge, data.sip);
}

/** @param {string} id @param {any} sip */
function put(id, sip) {
  const known = rooms.peek()?.get(id);
  if (known?.sip) keep({ ...known, sip });
}

/** @param {any} room */
function keep(room) {
  rooms.value = new Map(rooms.peek()).set(room.id, room);
}

export function RoomsScreen() {
  useTitle(t("rooms.title"));
  const events = useRef(/** @type {EventStream | null} */ (null));
  const [search, setSearch] = useState("");
  /** Of which kind they are that are shown; empty: nobody has chosen yet. */
  const [chosen, setChosen] = useState("");
  /** Which dialog is open, for which room. */
  const [open, setOpen] = useState(/** @type {{what: string, room: any} | null} */ (null));
  useEffect(() => {
    const stream = (events.current = new EventStream("/api/v1/events", {
      onEvent: receive,
      onOpen: () => void read(),
      onLink: (now) => (link.value = now),
      asks: true,
    }));
    const timer = setInterval(() => void read(), READ_AGAIN_MS);
    return () => {
      clearInterval(timer);
      stream.stop();
    };
  }, []);
  useKeys({
    "/": () => document.getElementById("rooms-search")?.focus(),
    Escape: () => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    },
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
  });
  const all = [...(rooms.value?.values() ?? [])].sort((a, b) => byName(a.name, b.name));
  const hardware = all.filter((room) => room.kind === "sip");
  const kind = chosen || (hardware.length ? "sip" : "all");
  const found = all.filter(
    (room) =>
      (kind === "all" || room.kind === kind) &&
      fold(`${room.name} ${placeOf(room)} ${room.id}`).includes(fold(search)),
  );
  const mayIssue = ["admin", "operator", "technician"].includes(session.value?.role);
  const mayWrite = ["admin", "operator"].includes(session.value?.role);
  const close = () => setOpen(null);
  const saved = (/** @type {any} */ room, /** @type {boolean} */ isNew) => {
    keep(room);
    setChosen(room.kind === kind ? kind : "all"); // what was shown stays, and so does this one
    // A new hardware room is nothing without its secret.
    setOpen(isNew && room.kind === "sip" ? { what: "secret", room } : null);
  };
  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("rooms.title")}</h1>
    <//>
    <${Toasts} />
    <${LinkBanner} link=${link.value} retry=${() => events.current?.retryNow()} />
    <${LoadBanner} />
    <main class="page">
      <div class="page-head">
        <p class="quiet">
          ${rooms.value && t("rooms.registered", { count: hardware.filter((room) => room.sip.registered).length, total: hardware.length })}
        </p>
        <select
          class="room-kinds"
          aria-label=${t("rooms.kinds")}
          value=${kind}
          onChange=${(/** @type {any} */ e) => setChosen(e.target.value)}
        >
          ${["sip", "webrtc", "all"].map((each) => html`<option key=${each} value=${each}>${t(`rooms.kinds.${each}`)}</option>`)}
        </select>
        <div class="search">
          <${Icon} name="search" /><input
            id="rooms-search"
            type="search"
            placeholder=${t("roster.search")}
            aria-label=${t("roster.search")}
            value=${search}
            onInput=${(/** @type {any} */ e) => setSearch(e.target.value)}
          />
        </div>
        ${
          mayWrite &&
          html`<button
            type="button"
            class="primary"
            disabled=${!rooms.value || !units.value.size}
            onClick=${() => setOpen({ what: "edit", room: null })}
          >
            <${Icon} name="plus" />${t("rooms.new")}
          </button>`
        }
      </div>
      ${failure.value && html`<${Problem} error=${failure.value} />`}
      ${rooms.value === null && !failure.value && html`<p class="quiet">${t("loading")}</p>`}
      ${
        rooms.value &&
        !found.length &&
        html`<div class="empty"><p>${t(all.length ? "roster.none" : "rooms.none")}</p></div>`
      }
      <ul class="sip-rooms">
        ${found.map(
          (room) =>
            html`<${Entry}
              key=${room.id}
              room=${room}
              mayIssue=${mayIssue}
              mayWrite=${mayWrite}
              onOpen=${(/** @type {string} */ what) => setOpen({ what, room })}
            />`,
        )}
      </ul>
    </main>
    ${
      open?.what === "secret" &&
      html`<${SecretDialog}
        room=${open.room}
        onMade=${() => put(open.room.id, { ...rooms.peek()?.get(open.room.id)?.sip, has_secret: true, last_refused: null })}
        onClose=${close}
      />`
    }
    ${open?.what === "revoke" && html`<${Revoke} room=${open.room} onClose=${close} />`}
    ${
      open?.what === "edit" &&
      html`<${RoomDialog}
        room=${open.room}
        tree=${inTreeOrder([...units.value.values()])}
        onClose=${close}
        onSaved=${saved}
      />`
    }`;
}

/** Go to the first button of the room before or after. @param {number} by */
function step(by) {
  const entries = [...document.querySelectorAll(".sip-room")];
  const at = entries.findIndex((entry) => entry.contains(document.activeElement));
  const next = entries[at < 0 ? (by > 0 ? 0 : entries.length - 1) : at + by];
  if (next instanceof HTMLElement) next.focus();
}

/** @param {{room: any, mayIssue: boolean, mayWrite: boolean, onOpen: (what: string) => void}} props */
function Entry({ room, mayIssue, mayWrite, onOpen }) {
  const { sip } = room;
  return html`<li
    class=${classes("sip-room", sip?.registered && "registered")}
    tabindex="-1"
    id=${`sip-${room.id}`}
  >
    <${Icon} name=${sip ? (sip.registered ? "check" : "gone") : "screen"} />
    <div>
      <h2>${room.name}</h2>
      <p class="quiet">${[placeOf(room), room.address].filter(Boolean).join(" · ")}</p>
    </div>
    <div class="sip-where">
      ${sip ? html`<${Registration} sip=${sip} />` : html`<p class="quiet">${t("rooms.kind.webrtc")}</p>`}
      ${room.conference && html`<p class="sip-in">${whereInWords(room)}</p>`}
    </div>
    ${
      (mayIssue || readsReports()) &&
      html`<div class="row-of-buttons">
        ${mayIssue && sip && html`<${Secrets} sip=${sip} onOpen=${onOpen} />`}
        ${
          mayWrite &&
          html`<button
            type="button"
            class="small"
            aria-label=${t("rooms.edit-of", { name: room.name })}
            onClick=${() => onOpen("edit")}
          >
            <${Icon} name="edit" />${t("rooms.edit")}
          </button>`
        }
        <${MonthLink} bridge=${room.id} name=${room.name} small />
      </div>`
    }
  </li>`;
}

/** @param {{sip: any, onOpen: (what: string) => void}} props */
const Secrets = ({ sip, onOpen }) =>
  html`<button type="button" class="small" onClick=${() => onOpen("secret")}>
      <${Icon} name="lock" />${t(sip.has_secret ? "sip.secret.renew" : "sip.secret.make")}
    </button>
    <button
      type="button"
      class="small danger"
      disabled=${!sip.has_secret}
      onClick=${() => onOpen("revoke")}
    >
      ${t("sip.revoke")}
    </button>`;

/** Its unit where that has another name, and the one above. @param {any} room */
function placeOf(room) {
  const above = units.value.get(room.unit)?.parent;
  const names = [unitName(room.unit), above && unitName(above)];
  return names.filter((name) => name && name !== room.name).join(", ");
}

/** Signed in or not, since when, from where, and what was refused since. @param {{sip: any}} props */
export function Registration({ sip }) {
  return html`${
      sip.registered
        ? html`<p>${t("sip.registered")} · ${t("since", { time: dayAndClock(sip.since) })}</p>`
        : html`<p class="quiet">${t(sip.has_secret ? "sip.unregistered" : "sip.no-secret")}</p>`
    }
    ${sip.reachable === "nowhere" && html`<p class="sip-refused">${t("sip.nowhere")}</p>`}
    ${sip.contacts.map(
      (/** @type {any} */ contact) =>
        html`<p class="quiet" key=${contact.address} title=${contact.address} translate="no">
          ${contact.transport.toUpperCase()} ${contact.source}${contact.user_agent && ` · ${contact.user_agent}`}
        </p>`,
    )}
    ${sip.last_refused && html`<${Refusal} refused=${sip.last_refused} />`}`;
}

/** Why a device was not let last, and what to do about it. @param {{refused: any}} props */
function Refusal({ refused }) {
  const { reason, source, time, count } = refused;
  const key = `sip.refused.${reason}`;
  return html`<p class="sip-refused" role="status">
    ${t(hasText(key) ? key : "sip.refused", { source, time: dayAndClock(time), count })}
  </p>`;
}

/** @param {{room: any, onClose: () => void}} props */
function Revoke({ room, onClose }) {
  const [waiting, setWaiting] = useState(false);
  const revoke = async () => {
    setWaiting(true);
    try {
      await send("DELETE", `bridges/${encodeURIComponent(room.id)}/sip-secret`);
      put(room.id, {
        ...rooms.peek()?.get(room.id)?.sip,
        registered: false,
        since: null,
        contacts: [],
        reachable: room.address ? "address" : "nowhere",
        has_secret: false,
        last_refused: null,
      });
      show({ tone: "good", text: t("sip.revoked", { name: room.name }) });
      onClose();
    } catch (error) {
      setWaiting(false);
      showError(error);
    }
  };
  return html`<${Dialog} title=${t("sip.revoke.title", { name: room.name })} onClose=${onClose}>
    <p>${t("sip.revoke.explain")}</p>
    <div class="row-of-buttons">
      <button type="button" class="danger solid" disabled=${waiting} onClick=${revoke}>
        ${t("sip.revoke")}
      </button>
      <button type="button" autofocus onClick=${onClose}>${t("cancel")}</button>
    </div>
  <//>`;
}
