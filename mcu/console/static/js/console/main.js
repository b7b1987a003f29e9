// @ts-check
// The console's frame: who is signed in, which screen the address names.

import { html, render, signal, effect } from "../shared/base.js";
import { resumeSession, session, signIn, takeFragment } from "../shared/api.js";
import { Problem } from "../shared/controls.js";
import { keepFocus } from "../shared/focus.js";
import { Icon } from "../shared/icons.js";
import { language, t } from "../shared/i18n.js";
import { ConferenceScreen } from "./conference.js";
import { Help, helpOpen } from "./keys.js";
import { IncidentsScreen } from "./incidents.js";
import { ListScreen } from "./list.js";
import { MonthScreen } from "./month.js";
import { EndedScreen } from "./report.js";
import { ReadinessScreen } from "./readiness.js";
import { ReadinessCheckScreen } from "./readiness-check.js";
import { RoomsScreen } from "./rooms.js";
import { ScenarioScreen } from "./scenario.js";
import { ScenariosScreen } from "./scenarios.js";
import { SignIn } from "./signin.js";
import { StartScreen } from "./start.js";
import { UnitsScreen } from "./units.js";

/** What went wrong before there was a screen to show it on. */
const failure = signal(/** @type {any} */ (null));
const address = signal(location.hash);

addEventListener("hashchange", () => {
  const fragment = takeFragment();
  if (fragment.has("token")) void enter(fragment.get("token") ?? "");
  address.value = location.hash;
});

/** @param {string} token */
async function enter(token) {
  try {
    await signIn(token);
    failure.value = null;
  } catch (error) {
    session.value = null;
    failure.value = error;
  }
}

async function begin() {
  const fragment = takeFragment();
  address.value = location.hash;
  if (fragment.has("token")) return enter(fragment.get("token") ?? "");
  try {
    await resumeSession();
    failure.value = null;
  } catch (error) {
    failure.value = error;
  }
}

/** @param {string} hash */
function screenOf(hash) {
  const [, place, id] =
    /^#\/(conferences|ended|incidents|months|readiness|rooms|scenarios|start|units)?\/?(.*)$/.exec(hash) ??
    [];
  if (place === "conferences" && id) {
    return html`<${ConferenceScreen} key=${id} id=${decodeURIComponent(id)} />`;
  }
  if (place === "scenarios" && id) {
    return html`<${ScenarioScreen} key=${id} id=${decodeURIComponent(id)} />`;
  }
  if (place === "scenarios") return html`<${ScenariosScreen} />`;
  if (place === "incidents") return html`<${IncidentsScreen} id=${id && decodeURIComponent(id)} />`;
  if (place === "months") return html`<${MonthScreen} id=${id} />`;
  if (place === "readiness" && id) {
    return html`<${ReadinessCheckScreen} key=${id} id=${decodeURIComponent(id)} />`;
  }
  if (place === "readiness") return html`<${ReadinessScreen} />`;
  if (place === "rooms") return html`<${RoomsScreen} />`;
  if (place === "units") return html`<${UnitsScreen} />`;
  if (place === "ended") return html`<${EndedScreen} />`;
  if (place === "start") return html`<${StartScreen} />`;
  return html`<${ListScreen} />`;
}

function App() {
  const who = session.value;
  if (who === undefined) {
    return html`<main class="centre">
      ${
        failure.value
          ? html`<div class="card narrow">
              <${Problem} error=${failure.value} />
              <button type="button" class="primary" onClick=${begin}>
                <${Icon} name="refresh" />${t("try-again")}
              </button>
            </div>`
          : html`<p class="quiet">${t("loading")}</p>`
      }
    </main>`;
  }
  if (!who || who.role === "bridge") return html`<${SignIn} failure=${failure} />`;
  return html`${screenOf(address.value)}${helpOpen.value && html`<${Help} />`}`;
}

effect(() => {
  document.documentElement.lang = language.value;
});

keepFocus();
void begin();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
