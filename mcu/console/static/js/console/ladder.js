// @ts-check
// What was said in a room's SIP calls, as a ladder: the room left, this server right.

import { classes, html, useEffect, useRef, useState } from "../shared/base.js";
import { get } from "../shared/api.js";
import { Dialog, Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { language, t } from "../shared/i18n.js";

/** @param {{path: string, name: string, onClose: () => void}} props `path` of the participant */
export function LadderDialog({ path, name, onClose }) {
  const [entries, setEntries] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [chosen, setChosen] = useState(0);
  const read = () => {
    setError(null);
    get(`${path}/sip-trace`).then(({ items }) => {
      setEntries(items);
      setChosen((before) => Math.min(before, Math.max(0, items.length - 1)));
    }, setError);
  };
  useEffect(read, [path]);
  return html`<${Dialog} title=${t("sip.trace.title", { name })} onClose=${onClose} wide>
    ${error && html`<${Problem} error=${error} />`}
    ${!entries && !error && html`<p class="quiet">${t("loading")}</p>`}
    ${entries?.length === 0 && html`<p class="quiet none">${t("sip.trace.none")}</p>`}
    ${
      entries?.length > 0 &&
      html`<div class="trace">
        <${Ladder} entries=${entries} chosen=${chosen} onChoose=${setChosen} />
        <pre tabindex="0" translate="no" aria-label=${t("sip.trace.message")}>
${inFull(entries[chosen])}</pre
        >
      </div>`
    }
    <div class="row-of-buttons">
      <button type="button" onClick=${read}><${Icon} name="refresh" />${t("sip.trace.again")}</button>
      <p class="quiet">${t("sip.trace.explain")}</p>
    </div>
  <//>`;
}

/** @param {{entries: any[], chosen: number, onChoose: (index: number) => void}} props */
function Ladder({ entries, chosen, onChoose }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    // The newest messages are mostly those that are looked for.
    onChoose(entries.length - 1);
    list.current?.querySelector("li:last-child")?.scrollIntoView({ block: "nearest" });
  }, [entries]);
  const step = (/** @type {KeyboardEvent} */ event) => {
    /** @type {Record<string, number>} */
    const places = {
      ArrowDown: chosen + 1,
      ArrowUp: chosen - 1,
      Home: 0,
      End: entries.length - 1,
    };
    const next = places[event.key];
    if (next === undefined || next < 0 || next >= entries.length) return;
    event.preventDefault();
    onChoose(next);
    const buttons = list.current?.querySelectorAll("button");
    buttons?.[next]?.focus();
  };
  return html`<div class="ladder">
    <div class="ladder-head" aria-hidden="true">
      <span></span><span>${t("sip.trace.room")}</span><span>${t("sip.trace.server")}</span>
    </div>
    <ol ref=${list} aria-label=${t("sip.trace")} onKeyDown=${step}>
      ${entries.map(
        (entry, index) =>
          html`<li key=${index}>
            <button
              type="button"
              tabindex=${index === chosen ? 0 : -1}
              aria-pressed=${String(index === chosen)}
              class=${classes("message", entry.direction, (entry.failure || /^[456]\d\d /.test(entry.summary)) && "refused")}
              onClick=${() => onChoose(index)}
            >
              ${
                from(entry) !== from(entries[index - 1]) &&
                html`<small translate="no">${from(entry)}</small>`
              }
              <time datetime=${entry.time}>${toTheMillisecond(entry.time)}</time>
              <span class="arrow" translate="no">
                <span>${summary(entry)}</span>
                <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                  <path d="M0 4H100" />
                </svg>
                <span class="unseen">${t(entry.direction === "received" ? "sip.trace.received" : "sip.trace.sent")}</span>
              </span>
            </button>
          </li>`,
      )}
    </ol>
  </div>`;
}

/** What is said of one arrow: of a message that found no way, why, in the page's language.
 * @param {any} entry */
const summary = (entry) =>
  entry.failure_cause
    ? `${entry.summary.split(":")[0]}: ${t(`sip.way.${entry.failure_cause}`)}`
    : entry.summary;

/** The whole message; or why there was no way for one, with what was asked. @param {any} entry */
const inFull = (entry) =>
  entry?.failure_cause ? [summary(entry), entry.failure_detail].filter(Boolean).join("\n") : entry?.text;

/** Where the room is; shown where it changes. @param {any} entry */
const from = (entry) => entry && `${entry.transport.toUpperCase()} ${entry.remote}`;

/** @param {string} time */
const toTheMillisecond = (time) =>
  new Date(time).toLocaleTimeString(language.value === "vi" ? "vi-VN" : "en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
