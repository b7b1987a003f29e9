// @ts-check
// Somebody else has saved meanwhile (412): the newer version is loaded, what was entered here stays
// beside it until it is taken over again or given up.

import { html, useState } from "../shared/base.js";
import { Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";

/**
 * What was entered and what is there now, said.
 * @typedef {{name: string, label: string, mine: string, theirs: string}} Difference `name`: of the member
 */

/**
 * An error; where somebody else was faster, with the way to what they made of it.
 * @param {{error: any, onLoad: () => void | Promise<void>}} props
 */
export function ProblemOrNewer({ error, onLoad }) {
  const [waiting, setWaiting] = useState(false);
  const load = async () => {
    setWaiting(true);
    await onLoad();
    setWaiting(false);
  };
  return html`<${Problem} error=${error} />
    ${
      error?.status === 412 &&
      html`<p class="row-of-buttons">
        <button type="button" class="primary" disabled=${waiting} onClick=${load}>
          <${Icon} name="refresh" />${t("overtaken.load")}
        </button>
      </p>`
    }`;
}

/**
 * What was entered, beside the newer version that the form shows.
 * @param {{differences: Difference[], onTake: (names: string[]) => void, onDrop: () => void}} props
 */
export function Mine({ differences, onTake, onDrop }) {
  return html`<section class="card overtaken" aria-label=${t("overtaken.mine")} tabindex="-1">
    <p role="status">${t(differences.length ? "overtaken.loaded" : "overtaken.same")}</p>
    ${
      differences.length > 0 &&
      html`<table>
        <thead>
          <tr>
            <td></td>
            <th scope="col">${t("overtaken.mine")}</th>
            <th scope="col">${t("overtaken.theirs")}</th>
            <td></td>
          </tr>
        </thead>
        <tbody>
          ${differences.map(
            ({ name, label, mine, theirs }) =>
              html`<tr key=${name}>
                <th scope="row">${label}</th>
                <td class="said">${mine || t("overtaken.nothing")}</td>
                <td class="said">${theirs || t("overtaken.nothing")}</td>
                <td>
                  <button
                    type="button"
                    class="small"
                    aria-label=${t("overtaken.take-one", { name: label })}
                    onClick=${() => onTake([name])}
                  >
                    ${t("overtaken.take")}
                  </button>
                </td>
              </tr>`,
          )}
        </tbody>
      </table>`
    }
    <p class="row-of-buttons">
      ${
        differences.length > 0 &&
        html`<button type="button" onClick=${() => onTake(differences.map(({ name }) => name))}>
          ${t("overtaken.take-all")}
        </button>`
      }
      <button type="button" onClick=${onDrop}>${t(differences.length ? "overtaken.drop" : "close")}</button>
    </p>
  </section>`;
}

/**
 * The members in which two documents differ.
 * @param {any} mine @param {any} theirs
 * @param {{[name: string]: {label: string, say: (value: any) => string}}} members
 * @returns {Difference[]}
 */
export function differencesOf(mine, theirs, members) {
  return Object.entries(members)
    .filter(([name]) => JSON.stringify(mine[name] ?? null) !== JSON.stringify(theirs[name] ?? null))
    .map(([name, { label, say }]) => ({ name, label, mine: say(mine[name]), theirs: say(theirs[name]) }));
}
