// @ts-check
// The screen of one conference: picture and its composition left, the roster right.

import { classes, effect, html, signal, useEffect, useMemo, useState } from "../shared/base.js";
import { session } from "../shared/api.js";
import { alongTabs, announcement, Dialog, Problem, Toasts, undoLast } from "../shared/controls.js";
import { focusFirst, focusSoon } from "../shared/focus.js";
import { Icon } from "../shared/icons.js";
import { duration, t } from "../shared/i18n.js";
import { nameBy } from "../shared/refusals.js";
import { Actions, busy } from "./actions.js";
import { alarmKeys, AlarmsPanel, AlarmState, useAlarms } from "./alarms.js";
import { AgendaPanel, AgendaState } from "./agenda.js";
import { LinkBanner } from "./banner.js";
import { Compose } from "./compose.js";
import { ConveningPanel } from "./convening.js";
import { DialDialog } from "./dial.js";
import { DrillBadge, DrillPanel } from "./drill.js";
import { TopBar, useTitle } from "./frame.js";
import { FloorPanel } from "./floor.js";
import { useKeys } from "./keys.js";
import { LoadBanner } from "./load.js";
import { MessagePanel } from "./message.js";
import { ConferenceModel } from "./model.js";
import { rememberedPanel, rememberPanel } from "./open-panel.js";
import { Picture } from "./picture.js";
import { readUnits, unitName, units } from "./registry.js";
import { RecordButton, RecordingsPanel } from "./recordings.js";
import { RoomPanel } from "./room.js";
import { ReportDialog, readsReports } from "./report.js";
import { RollCallPanel } from "./roll-call.js";
import { Roster, RosterState } from "./roster.js";
import { canPresent } from "./row.js";
import { UnitMicsDialog } from "./unit-mics.js";
import { Wall } from "./wall.js";

/** What one conference screen shares among its parts. */
export class Desk {
  /** @param {string} id */
  constructor(id) {
    this.model = new ConferenceModel(id);
    this.actions = new Actions(this.model);
    this.alarms = new AlarmState(this.model);
    this.roster = new RosterState(this.model, this.alarms);
    this.agenda = new AgendaState(this.model, this.actions);
    /** Which view is shown and composed. */
    this.view = signal("main");
    const before = rememberedPanel(id);
    const known = PANELS.some(([panel]) => panel === before?.panel);
    /** Which panel stands under the picture: one of `PANELS`. */
    this.panel = signal((known && before?.panel) || "layout");
    // Keys act on the chosen room: it is chosen again only where it is seen which one it is.
    if (this.panel.peek() === "room") this.roster.selected.value = before?.room ?? null;
    this.forgetPanel = effect(() => {
      const panel = this.panel.value;
      rememberPanel(id, panel, panel === "room" ? this.roster.selected.value : null);
    });
    /** Whether slots are drawn over the picture to be filled. */
    this.slots = signal(false);
    /** Whether all rooms are shown as tiles instead of the desk. */
    this.wall = signal(false);
    /** Whether a room is being dragged towards a slot. */
    this.dragging = signal(false);
    /** On which terms the floor is given. */
    this.floor = signal({ limit: 180, picture: "speaker" });
    /** On which terms rooms are convened; null: the installation's. */
    this.convening = signal({ order: "importance", at_once: null, target_s: null });
    /** Whether the chosen room is to go to another conference. */
    this.moving = signal(false);
    /** Whether a unit is chosen whose microphones are to be switched. */
    this.mutingUnit = signal(false);
    this.role = session.peek()?.role;
  }

  /** Whether it is steered from here: where one's own rooms are guests, it is not. */
  get controls() {
    const guest = this.model.conference.value?.may_control === false;
    return (this.role === "admin" || this.role === "operator") && !guest;
  }

  get mutes() {
    return ["admin", "operator", "technician"].includes(this.role ?? "");
  }

  /** Show a room close up, and let keys act there. @param {string} id */
  openRoom(id) {
    this.roster.selected.value = id;
    this.showRoom();
    focusSoon(".room");
  }

  /** On large screens it is always shown, and the panel that is open stays. */
  showRoom() {
    if (!isLarge.peek()) this.panel.value = "room";
  }

  /** Open a panel by its key; the next Tab leads into it. @param {string} id */
  openPanel(id) {
    this.wall.value = false;
    this.panel.value = id;
    focusSoon(`#tab-${id}`);
  }

  /** Show all rooms as tiles, or the desk again; keys act on the same room as before. */
  toggleWall() {
    this.wall.value = !this.wall.value;
    if (this.wall.value) requestAnimationFrame(() => enterWall());
    else focusSoon(".rows [role=row].selected", ".rows");
  }
}

/** @param {{id: string}} props */
export function ConferenceScreen({ id }) {
  const desk = useMemo(() => new Desk(id), [id]);
  useEffect(() => {
    if (!units.peek().size) void readUnits();
    const unname = nameBy((id) => desk.model.person(id)?.label);
    return () => {
      unname();
      desk.forgetPanel();
      desk.model.close();
    };
  }, [desk]);
  const undecided = Boolean(desk.model.conference.value?.conflicts);
  useEffect(() => {
    if (undecided) desk.panel.value = "convening";
  }, [desk, undecided]);
  useAnnouncements(desk);
  useDeskKeys(desk);
  const { model } = desk;
  const conference = model.conference.value;
  useTitle(conference?.name ?? "");
  const error = model.error.value;
  if (model.link.value.state === "gone" || error?.status === 404) return html`<${Gone} />`;
  if (!conference) {
    return html`<${TopBar}
        ><a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a
      ><//>
      <${LinkBanner} link=${model.link.value} retry=${() => model.stream.retryNow()} />
      <${Toasts} />
      <main class="centre">
        ${
          error
            ? html`<div class="card narrow">
                <${Problem} error=${error} />
                <div class="row-of-buttons">
                  <button type="button" class="primary" onClick=${() => void model.read()}>
                    <${Icon} name="refresh" />${t("try-again")}
                  </button>
                  <a class="button" href="#/">${t("list.title")}</a>
                </div>
              </div>`
            : html`<p class="quiet">${t("loading")}</p>`
        }
      </main>`;
  }
  return html`<${TopBar} tools=${html`<${DeskTools} desk=${desk} />`}>
      <a class="button bare" href="#/" title=${t("list.title")} aria-label=${t("back")}
        ><${Icon} name="back"
      /></a>
      <div class="title">
        <h1>${conference.name}</h1>
        <${Running} desk=${desk} />
      </div>
      ${conference.drill && html`<${DrillBadge} />`}
    <//>
    <${LinkBanner} link=${model.link.value} retry=${() => model.stream.retryNow()} />
    <${LoadBanner} />
    ${desk.mutingUnit.value && html`<${UnitMicsDialog} desk=${desk} onClose=${() => (desk.mutingUnit.value = false)} />`}
    ${error && html`<div class="banner bad"><${Problem} error=${error} /></div>`}
    ${
      conference.state === "ended" &&
      html`<div class="banner" role="status">
        <${Icon} name="check" />
        <p>${t("ended")}</p>
        <a class="button small" href="#/">${t("list.title")}</a>
      </div>`
    }
    ${
      desk.wall.value && conference.state === "running"
        ? html`<${Wall} desk=${desk} />`
        : html`${desk.slots.value && html`<${Toasts} />`}
          <main class="desk">
            <div class="stage-column">
              <${Picture} desk=${desk} />
              <${Panels} desk=${desk} />
            </div>
            <${Roster} desk=${desk} />
          </main>`
    }`;
}

/** There is no such conference: nothing to try again. */
const Gone = () =>
  html`<${TopBar}
      ><a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a
    ><//>
    <${Toasts} />
    <main class="centre">
      <div class="card narrow" role="alert">
        <p>${t("conference.gone")}</p>
        <a class="button primary" href="#/">${t("list.title")}</a>
      </div>
    </main>`;

/** @param {{desk: Desk}} props */
function Running({ desk }) {
  const conference = desk.model.conference.value;
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const until = conference.ended_at ? Date.parse(conference.ended_at) : Date.now();
  const time = duration((until - Date.parse(conference.started_at)) / 1000);
  const state = t(conference.state === "running" ? "running-for" : "ended-after", { time });
  const said = [unitName(conference.unit), state];
  if (conference.state === "running" && conference.number) {
    said.push(t("dial.number", { number: conference.number }));
    if (conference.has_pin)
      said.push(conference.pin ? t("dial.pin", { pin: conference.pin }) : t("dial.with-pin"));
  }
  return html`<p class="quiet">${said.join(" · ")}</p>`;
}

/** @param {{desk: Desk}} props */
function DeskTools({ desk }) {
  const [ending, setEnding] = useState(false);
  const [dialling, setDialling] = useState(false);
  const [reporting, setReporting] = useState(false);
  const conference = desk.model.conference.value;
  const report =
    readsReports() &&
    html`<button type="button" onClick=${() => setReporting(true)}>
        <${Icon} name="list" />${t("report")}
      </button>
      ${reporting && html`<${ReportDialog} conference=${conference} onClose=${() => setReporting(false)} />`}`;
  const wall =
    conference.state === "running" &&
    html`<button
      type="button"
      aria-pressed=${String(desk.wall.value)}
      title=${`${t("wall.explain")} (H)`}
      onClick=${() => desk.toggleWall()}
    >
      <${Icon} name="grid" />${t("wall")}
    </button>`;
  if (!desk.controls || conference.state !== "running")
    return html`<div class="desk-tools" data-place>${wall}${report}</div>`;
  return html`<div class="desk-tools" data-place>
    <${RecordButton} desk=${desk} />
    ${wall}${report}
    <button type="button" title=${t("dial.title")} onClick=${() => setDialling(true)}>
      <${Icon} name="phone" />${t("dial")}
    </button>
    ${dialling && html`<${DialDialog} desk=${desk} onClose=${() => setDialling(false)} />`}
    <button
      type="button"
      aria-pressed=${String(conference.locked)}
      disabled=${busy.value.has("lock")}
      title=${t("lock.explain")}
      onClick=${() => desk.actions.toggleLock()}
    >
      <${Icon}
        name=${conference.locked ? "lock" : "unlock"}
      />${t(conference.locked ? "locked" : "lock")}
    </button>
    <button type="button" class="danger" onClick=${() => setEnding(true)}>${t("end")}</button>
    ${
      ending &&
      html`<${Dialog} title=${t("end.title")} onClose=${() => setEnding(false)}>
        <p>
          ${t("end.explain", { name: conference.name, count: desk.model.counts.value.connected })}
        </p>
        <div class="row-of-buttons">
          <button
            type="button"
            class="danger solid"
            disabled=${busy.value.has("end")}
            onClick=${async () => {
              if (await desk.actions.end()) setEnding(false);
            }}
          >
            ${t("end.confirm")}
          </button>
          <button type="button" autofocus onClick=${() => setEnding(false)}>${t("cancel")}</button>
        </div>
      <//>`
    }
  </div>`;
}

/** Each with its sign and its key. */
const PANELS = [
  ["alarms", "warning", "W"],
  ["convening", "phone", "O"],
  ["agenda", "list", "A"],
  ["layout", "grid", "L"],
  ["floor", "hand", "Q"],
  ["roll-call", "check", "R"],
  ["room", "camera", "Enter"],
  ["message", "message", "T"],
  ["recordings", "download", "J"],
  ["drill", "warning", "Shift+D"],
];

/** On large screens the room has a place of its own beside the other panels. */
const large = matchMedia("(min-width: 1700px)");
const isLarge = signal(large.matches);
large.addEventListener("change", () => (isLarge.value = large.matches));

/** @param {{desk: Desk}} props */
function Panels({ desk }) {
  useAlarms(desk.alarms);
  const alarms = desk.alarms.items.value;
  const unknown = alarms.filter((alarm) => !alarm.acknowledged_by).length;
  const beside = isLarge.value;
  const drills = desk.model.conference.value.drill;
  const open = beside && desk.panel.value === "room" ? "layout" : desk.panel.value;
  return html`<div class="panel-row">
    <section class="panels">
      <div class="tabs" role="tablist" aria-label=${t("panels")} onKeyDown=${alongTabs}>
        ${PANELS.filter(([id]) => (!beside || id !== "room") && (drills || id !== "drill")).map(
          ([id, icon, key]) =>
            html`<button
              type="button"
              key=${id}
              role="tab"
              id=${`tab-${id}`}
              title=${key}
              tabindex=${open === id ? 0 : -1}
              aria-selected=${String(open === id)}
              aria-controls="panel"
              onClick=${() => (desk.panel.value = id)}
            >
              <${Icon} name=${icon} />${t(`panel.${id}`)}
              ${id === "alarms" && alarms.length > 0 && html`<span class=${classes("count", unknown > 0 && "bad")}>${alarms.length}</span>`}
              ${id === "floor" && desk.model.conference.value.floor.requests.length > 0 && html`<span class="count">${desk.model.conference.value.floor.requests.length}</span>`}
              ${id === "convening" && desk.model.conference.value.convening?.state === "open" && html`<span class="count">${desk.model.conference.value.convening.rooms - desk.model.conference.value.convening.joined}</span>`}
              ${id === "convening" && desk.model.ids.value.some((one) => desk.model.person(one)?.waiting) && html`<span class="dot" aria-label=${t("waiting")}></span>`}
              ${id === "convening" && desk.model.callers.value.length > 0 && html`<span class="dot" aria-label=${t("callers")}></span>`}
              ${id === "roll-call" && desk.model.conference.value.roll_call && html`<span class="dot" aria-label=${t("roll.on")}></span>`}
              ${id === "recordings" && desk.model.conference.value.recordings?.length > 0 && html`<span class="rec-dot" aria-label=${t("rec.on")}></span>`}
              ${id === "message" && desk.model.conference.value.message && html`<span class="dot" aria-label=${t("message.on")}></span>`}
            </button>`,
        )}
      </div>
      <div class="panel" id="panel" key=${open} role="tabpanel" aria-labelledby=${`tab-${open}`}>
        ${open === "convening" && html`<${ConveningPanel} desk=${desk} />`}
        ${open === "alarms" && html`<${AlarmsPanel} desk=${desk} />`}
        ${open === "agenda" && html`<${AgendaPanel} desk=${desk} />`}
        ${open === "layout" && html`<${Compose} desk=${desk} />`}
        ${open === "floor" && html`<${FloorPanel} desk=${desk} />`}
        ${open === "roll-call" && html`<${RollCallPanel} desk=${desk} />`}
        ${open === "room" && html`<${RoomPanel} desk=${desk} />`}
        ${open === "recordings" && html`<${RecordingsPanel} desk=${desk} />`}
        ${open === "drill" && html`<${DrillPanel} desk=${desk} />`}
        ${open === "message" && html`<${MessagePanel} desk=${desk} />`}
      </div>
    </section>
    ${
      beside &&
      html`<section class="panels" aria-label=${t("panel.room")}>
        <div class="panel"><${RoomPanel} desk=${desk} /></div>
      </section>`
    }
  </div>`;
}

/** Tell the screen reader who came, went or was lost. @param {Desk} desk */
function useAnnouncements(desk) {
  useEffect(() => {
    const receive = desk.model.receive.bind(desk.model);
    desk.model.receive = (event) => {
      receive(event);
      if (event.type === "recording.started") announcement.value = t("rec.on");
      if (event.type === "recording.stopped") announcement.value = t(`rec.reason.${event.data.reason}`);
      if (event.type === "recording.troubled") announcement.value = t(`rec.trouble.${event.data.trouble}`);
      const kind = /^participant\.(joined|lost|returned|left)$/.exec(event.type)?.[1];
      const label = event.data?.participant?.label;
      if (kind && label) announcement.value = t(`heard.${kind}`, { name: label });
    };
  }, [desk]);
}

/** Mark the room that is called. @param {Desk} desk @param {string} status */
function markCalled(desk, status) {
  const open = desk.model.conference.peek().roll_call;
  if (open?.calling) void desk.actions.markRoom(open.number, open.calling, status);
}

/** From elsewhere on the wall's screen to its tiles; whether there are any. */
function enterWall() {
  const tile = /** @type {HTMLElement | null} */ (
    document.querySelector(".wall-tile[tabindex='0']")
  );
  tile?.focus();
  return tile !== null;
}

/** @param {Desk} desk */
function useDeskKeys(desk) {
  const { roster, actions } = desk;
  const chosen = () => desk.model.person(roster.selected.value);
  const withChosen =
    (/** @type {(person: any) => void} */ act, allowed = desk.controls) =>
    () => {
      const person = chosen();
      if (person && allowed) act(person);
    };
  const asController = (/** @type {() => void} */ act) => () => {
    if (desk.controls) act();
  };
  useKeys({
    "/": () =>
      (
        document.getElementById("roster-search") ?? document.getElementById("wall-search")
      )?.focus(),
    ArrowDown: () => enterWall() || roster.step(1),
    ArrowUp: () => enterWall() || roster.step(-1),
    H: () => desk.toggleWall(),
    M: withChosen((person) => void actions.toggleAudio(person), desk.mutes),
    V: withChosen((person) => void actions.toggleVideo(person), desk.mutes),
    B: withChosen((person) => void actions.toggleBroadcast(person.id)),
    P: withChosen((person) => {
      const presents = desk.model.conference.peek().presentation === person.id;
      if (canPresent(person, presents)) void actions.togglePresentation(person.id);
    }),
    F: withChosen((person) => {
      const { floor } = desk.model.conference.peek();
      desk.panel.value = "floor";
      if (floor.holder?.participant === person.id) void actions.endFloor();
      else void actions.grantFloor(person.id, desk.floor.value);
    }),
    W: () => {
      desk.openPanel("alarms");
      focusSoon(".alarm-what[tabindex='0']", "#tab-alarms");
    },
    ...alarmKeys(desk),
    Q: () => desk.openPanel("floor"),
    "Shift+D": () => {
      if (!desk.model.conference.peek().drill) return;
      desk.openPanel("drill");
      focusSoon("#drill-kind");
    },
    R: () => desk.openPanel("roll-call"),
    J: () => desk.openPanel("recordings"),
    "Shift+R": asController(() => void actions.toggleRecording()),
    O: () => desk.openPanel("convening"),
    "Shift+O": asController(() => {
      desk.panel.value = "convening";
      const { convening } = desk.model.conference.peek();
      if (convening?.state !== "open") void actions.convene(desk.convening.peek());
    }),
    X: withChosen(() => {
      desk.showRoom();
      desk.moving.value = true;
    }),
    "Shift+A": asController(() => {
      desk.panel.value = "convening";
      void actions.admit(null);
    }),
    "Shift+L": asController(() => void actions.toggleLock()),
    E: withChosen((person) => void actions.toggleChairView(person.id)),
    Y: asController(() => markCalled(desk, "present")),
    N: asController(() => markCalled(desk, "absent")),
    K: asController(() => {
      const open = desk.model.conference.peek().roll_call;
      if (open?.calling) void actions.changeRollCall(open.number, { skip: open.calling });
    }),
    D: withChosen((person) => void actions.toggleDeaf(person)),
    "Shift+M": asController(() => void actions.muteAll()),
    "Shift+U": asController(() => void actions.unmuteAll()),
    U: asController(() => {
      if (desk.model.conference.peek().state === "running") desk.mutingUnit.value = true;
    }),
    A: () => desk.openPanel("agenda"),
    "Shift+N": asController(() => void desk.agenda.go("/next")),
    "Shift+K": asController(() => void desk.agenda.go("/back")),
    L: () => {
      desk.openPanel("layout");
      focusSoon(".compose .thumb[aria-pressed=true]", ".compose .thumb", "#tab-layout");
    },
    S: asController(() => {
      desk.slots.value = !desk.slots.value;
      if (desk.slots.value) focusSoon(".slot");
    }),
    T: () => {
      desk.openPanel("message");
      focusSoon("#message-text");
    },
    C: () => (desk.view.value = desk.view.value === "main" ? "chair" : "main"),
    G: () => roster.toggleOverview(),
    Z: () => void undoLast(),
    Escape: () => {
      const active = document.activeElement;
      if (active?.matches("input, textarea, select")) {
        const [tab] = active.closest(".panels")?.querySelectorAll("[role=tab][tabindex='0']") ?? [];
        if (tab instanceof HTMLElement) tab.focus();
        else focusFirst(".wall-tile[tabindex='0']", ".rows");
      } else if (desk.wall.value) desk.toggleWall();
      else if (desk.slots.value) desk.slots.value = false;
      else if (active?.closest(".panels")) focusFirst(".rows [role=row].selected", ".rows");
      else roster.clear();
    },
  });
}
