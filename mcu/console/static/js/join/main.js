// @ts-check
// The join page: from the link in the address to a room that is in its conference.

import { effect, html, render, signal } from "../shared/base.js";
import { ApiError, actAsRoom, resumeSession, session, signIn, takeFragment } from "../shared/api.js";
import { Backoff } from "../shared/backoff.js";
import { LanguageSwitch, Problem, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { language, t } from "../shared/i18n.js";
import { Devices } from "./devices.js";
import { Lobby } from "./lobby.js";
import { rememberRoom, rememberedRoom } from "./remembered.js";
import { Room } from "./room.js";
import { Stage } from "./stage.js";

const failure = signal(/** @type {any} */ (null));
/** Whether this page was a room whose session is over. */
const over = signal(false);
/** @type {import("../../vendor/signals.js").Signal<Room | null>} */
const room = signal(null);

/**
 * The link's token, kept in this page's memory only: a session lasts a working day, a room stays
 * for longer and signs in again by itself.
 */
let secret = "";
let unattended = false;
const backoff = new Backoff({ first: 1000, most: 30_000 });
/** Of the next attempt to sign in; 0: none is due. */
let timer = 0;

function beginLater() {
  clearTimeout(timer);
  timer = setTimeout(begin, backoff.next());
}

async function begin() {
  clearTimeout(timer);
  timer = 0;
  const fragment = takeFragment();
  secret = fragment.get("token") ?? secret;
  unattended =
    (fragment.get("auto") ?? new URLSearchParams(location.hash.slice(1)).get("auto")) === "1";
  // Not a secret, and wanted again when a kiosk's page is loaded anew.
  if (unattended) history.replaceState(null, "", `${location.pathname}#auto=1`);
  failure.value = null;
  try {
    if (secret) await signIn(secret);
    else await resumeRoom();
    backoff.reset();
    if (session.value?.role === "bridge") enter();
  } catch (error) {
    failure.value = error;
    session.value ??= null;
    if (!(error instanceof ApiError) || error.status !== 401) beginLater();
    else room.value?.accessEnded();
  }
}

/** Go on as the room this page was, without its link. */
async function resumeRoom() {
  const id = rememberedRoom();
  actAsRoom(id);
  if (id) {
    await resumeSession();
    over.value = session.value === null;
  } else session.value = null; // what the operator's session may do is not for this page
}

function enter() {
  rememberRoom(session.value.bridge);
  if (room.value && room.value.bridge !== session.value.bridge) {
    location.reload(); // another room's link was opened in this tab: begin as that room
    return;
  }
  if (room.value) {
    room.value.listen();
    return;
  }
  const devices = new Devices();
  room.value = new Room(devices, unattended);
  void devices.open().then(() => {
    if (unattended) room.value?.ready();
  });
}

addEventListener("online", () => {
  if (timer) void begin();
});

addEventListener("hashchange", () => {
  if (new URLSearchParams(location.hash.slice(1)).has("token")) void begin();
});

effect(() => {
  // The session ended under a running page: use the link again.
  if (session.value !== null || !room.value) return;
  if (secret) beginLater();
  else room.value.accessEnded();
});

effect(() => {
  const name = room.value?.me.value?.label;
  document.title = [name, t("join.title")].filter(Boolean).join(" · ");
});

function App() {
  const here = room.value;
  if (here) {
    const staying = ["joining", "live", "rejoining"].includes(here.phase.value);
    return html`${staying ? html`<${Stage} room=${here} />` : html`<${Lobby} room=${here} />`}<${Toasts} />`;
  }
  if (session.value === undefined && !failure.value) {
    return html`<main class="centre"><p class="quiet">${t("loading")}</p></main>`;
  }
  return html`<${NoRoom} />`;
}

function NoRoom() {
  const link = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const text = String(
      new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("link") ?? "",
    ).trim();
    secret = new URLSearchParams(text.split("#")[1] ?? "").get("token") ?? text;
    void begin();
  };
  return html`<main class="centre">
    <form class="card narrow" onSubmit=${link} autocomplete="off">
      <div class="card-head">
        <h1>${t("join.title")}</h1>
        <${LanguageSwitch} />
      </div>
      ${
        session.value && session.value.role !== "bridge"
          ? html`<p class="note">${t("join.not-a-room", { name: session.value.name ?? "" })}</p>`
          : failure.value && failure.value.status !== 401
            ? html`<${Problem} error=${failure.value} />`
            : (failure.value || over.value) && html`<p class="note">${t("join.bad-link")}</p>`
      }
      <p class="quiet">${t("join.link-explain")}</p>
      <label
        >${t("join.link")}<input
          name="link"
          type="password"
          required
          autocomplete="off"
          spellcheck="false"
      /></label>
      <button type="submit" class="primary"><${Icon} name="check" />${t("join.open-link")}</button>
    </form>
  </main>`;
}

effect(() => {
  document.documentElement.lang = language.value;
});

void begin();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
