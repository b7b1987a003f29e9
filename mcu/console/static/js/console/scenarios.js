// @ts-check
// The scenarios that sessions are prepared with: listed, taken in from a file, started.

import { html, useEffect, useRef, useState } from "../shared/base.js";
import { getAll, request, send, session } from "../shared/api.js";
import { Problem, show, showError, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, dayAndClock, duration, t } from "../shared/i18n.js";
import { TopBar, useTitle } from "./frame.js";
import { readUnits, unitName, units } from "./registry.js";

export function ScenariosScreen() {
  useTitle(t("scenarios.title"));
  const [scenarios, setScenarios] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const file = useRef(/** @type {HTMLInputElement | null} */ (null));
  const mayWrite = ["admin", "operator"].includes(session.value?.role);

  const read = async () => {
    try {
      setScenarios(await getAll("scenarios"));
      if (!units.peek().size) await readUnits();
    } catch (reason) {
      setError(reason);
    }
  };
  useEffect(() => void read(), []);

  const take = async (/** @type {any} */ event) => {
    const chosen = event.target.files[0];
    event.target.value = "";
    if (!chosen) return;
    setError(null);
    try {
      const response = await request(`scenarios:import`, {
        method: "POST",
        body: await chosen.text(),
        type: "application/yaml",
      });
      const { created } = await response.json();
      show({ tone: "good", text: t("scenarios.taken", { count: created.length }) });
      await read();
    } catch (reason) {
      setError(reason);
    }
  };

  return html`<${TopBar}>
      <a class="button bare" href="#/" aria-label=${t("back")}><${Icon} name="back" /></a>
      <h1>${t("scenarios.title")}</h1>
    <//>
    <${Toasts} />
    <main class="page">
      <div class="page-head">
        <p class="quiet">${scenarios && t("scenarios.count", { count: scenarios.length })}</p>
        <a class="button" href="/api/v1/scenarios.csv" download>CSV</a>
        ${
          mayWrite &&
          html`<div class="row-of-buttons">
            <input
              ref=${file}
              id="scenario-file"
              type="file"
              accept=".yaml,.yml,application/yaml"
              hidden
              onChange=${take}
            />
            <button type="button" onClick=${() => file.current?.click()}>
              <${Icon} name="screen" />${t("scenarios.upload")}
            </button>
            <a class="button primary" href="#/scenarios/new"
              ><${Icon} name="plus" />${t("scenarios.new")}</a
            >
          </div>`
        }
      </div>
      ${error && html`<${Problem} error=${error} />`}
      ${scenarios === null && !error && html`<p class="quiet">${t("loading")}</p>`}
      ${
        scenarios?.length === 0 &&
        html`<div class="empty">
          <p>${t("scenarios.empty")}</p>
          <p class="quiet">${t("scenarios.empty-hint")}</p>
        </div>`
      }
      <ul class="conferences">
        ${[...(scenarios ?? [])]
          .sort((a, b) => byName(a.name, b.name))
          .map(
            (scenario) =>
              html`<li key=${scenario.id}>
                <${Entry} scenario=${scenario} mayWrite=${mayWrite} />
              </li>`,
          )}
      </ul>
    </main>`;
}

/** @param {{scenario: any, mayWrite: boolean}} props */
function Entry({ scenario, mayWrite }) {
  const [waiting, setWaiting] = useState(false);
  const [drill, setDrill] = useState(false);
  const start = async () => {
    setWaiting(true);
    try {
      const conference = await send("POST", "conferences", {
        scenario: scenario.id,
        drill,
        busy: "ask", // rooms of other conferences are asked for: the board says so, and what may be done
      });
      location.hash = `#/conferences/${encodeURIComponent(conference.id)}`;
    } catch (reason) {
      showError(reason);
      setWaiting(false);
    }
  };
  const copy = async () => {
    try {
      const name = t("scenarios.copy-of", { name: scenario.name }).slice(0, 200);
      const made = await send("POST", "scenarios", {
        template: { scenario: scenario.id },
        name,
        begins_at: null,
      });
      location.hash = `#/scenarios/${encodeURIComponent(made.id)}`;
    } catch (reason) {
      showError(reason);
    }
  };
  const address = encodeURIComponent(scenario.id);
  const said = [unitName(scenario.unit)];
  if (scenario.begins_at) said.push(dayAndClock(scenario.begins_at));
  said.push(t("scenarios.items", { count: scenario.items }), duration(scenario.duration_s));
  return html`<div class="scenario-entry">
    <a class="scenario-name" href=${`#/scenarios/${address}`}>
      <h2>${scenario.name}</h2>
      <p class="quiet">${said.join(" · ")}</p>
    </a>
    <div class="row-of-buttons">
      <a class="button" href=${`/api/v1/scenarios/${address}.yaml`} download>YAML</a>
      ${mayWrite && html`<button type="button" onClick=${copy}>${t("scenarios.copy")}</button>`}
      ${
        mayWrite &&
        html`<label class="choice" title=${t("start.drill.explain")}
          ><input
            type="checkbox"
            checked=${drill}
            aria-label=${t("scenarios.drill-of", { name: scenario.name })}
            onChange=${(/** @type {any} */ e) => setDrill(e.target.checked)}
          />${t("scenarios.drill")}</label
        >`
      }
      ${
        mayWrite &&
        html`<button type="button" class="primary" disabled=${waiting} onClick=${start}>
          ${t(waiting ? "start.waiting" : "start.submit")}
        </button>`
      }
    </div>
  </div>`;
}
