// @ts-check
// One room close up: its picture, its line in words, whom to telephone, everything that can be done.

import { html, useEffect, useState } from "../shared/base.js";
import { get } from "../shared/api.js";
import { Dialog, showError } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { clock, number, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { MonthLink } from "./month.js";
import { TransferDialog } from "./transfer.js";
import { useStill } from "./picture.js";
import { NamingDialog } from "./naming.js";
import { LadderDialog } from "./ladder.js";
import { Registration } from "./rooms.js";
import { canPresent, lineInWords, stateInWords } from "./row.js";

/** The room's registry entry (contact, unit name, how its devices stand); null while unknown or for guests. @param {any} person */
function useRegistry(person) {
  const [entry, setEntry] = useState(/** @type {any} */ (null));
  useEffect(() => {
    setEntry(null);
    let current = true;
    const unit = person?.unit
      ? get(`units/${encodeURIComponent(person.unit)}`)
      : Promise.resolve(null);
    const bridge = person?.bridge
      ? get(`bridges/${encodeURIComponent(person.bridge)}`)
      : Promise.resolve(null);
    void Promise.allSettled([bridge, unit]).then(([b, u]) => {
      if (current)
        setEntry({
          contact: b.status === "fulfilled" ? b.value?.contact : null,
          sip: b.status === "fulfilled" ? b.value?.sip : null,
          unit: u.status === "fulfilled" ? u.value?.name : null,
        });
    });
    return () => {
      current = false;
    };
  }, [person?.id]);
  // A hardware room signs in and out while its panel is open; its calls tell when to look again.
  useEffect(() => {
    if (!entry?.sip || !person) return undefined;
    let current = true;
    get(`bridges/${encodeURIComponent(person.bridge)}`).then(
      ({ sip }) => current && setEntry((/** @type {any} */ old) => old && { ...old, sip }),
      () => undefined, // what was read before stays shown
    );
    return () => {
      current = false;
    };
  }, [person?.state]);
  return entry;
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function RoomPanel({ desk }) {
  const { model, actions } = desk;
  const person = model.person(desk.roster.selected.value);
  const [removing, setRemoving] = useState(false);
  const [tracing, setTracing] = useState(false);
  const [naming, setNaming] = useState(false);
  const entry = useRegistry(person);
  const here = person?.state === "connected" || person?.state === "lost";
  const still = useStill(
    person && here
      ? `conferences/${encodeURIComponent(model.id)}/participants/${encodeURIComponent(person.id)}/picture.jpg`
      : null,
  );
  if (!person) return html`<p class="quiet none">${t("room.none")}</p>`;
  const conference = model.conference.value;
  const off = !desk.controls || conference.state !== "running";
  const onAir = conference.broadcast === person.id;
  const presents = conference.presentation === person.id;
  const speaks = conference.floor.holder?.participant === person.id;
  const since =
    person.state === "lost"
      ? person.lost_at
      : person.state === "connected"
        ? person.joined_at
        : null;
  const contact = entry?.contact;
  return html`<div class="room" tabindex="-1">
    <div class="room-picture">
      ${
        still
          ? html`<img src=${still} alt=${t("room.picture", { name: person.label })} />`
          : html`<div class="no-picture">
              <${Icon} name="camera-off" /><span>${t("room.no-picture")}</span>
            </div>`
      }
      <dl>
        <div>
          <dt>${t("room.state")}</dt>
          <dd>
            ${stateInWords(person)}${since && ` · ${t("since", { time: clock(since) })}`}
            ${person.call_failure_detail && html`<br /><small class="quiet" translate="no">${person.call_failure_detail}</small>`}
          </dd>
        </div>
        ${
          person.state === "connected" &&
          html`<div>
            <dt>${t("column.line")}</dt>
            <dd>
              ${person.quality.grade === "none" ? t("grade.none") : lineInWords(person.quality)}
            </dd>
          </div>`
        }
        ${
          entry?.sip &&
          html`<div>
            <dt>SIP</dt>
            <dd><${Registration} sip=${entry.sip} /></dd>
          </div>`
        }
        <div>
          <dt>${t("room.contact")}</dt>
          <dd>
            ${
              contact?.phone
                ? html`${contact.name ?? ""}
                    <a class="phone" href=${`tel:${contact.phone.replace(/[^+\d]/g, "")}`}
                      ><${Icon} name="phone" />${contact.phone}</a
                    >`
                : (contact?.name ?? t("room.no-contact"))
            }
          </dd>
        </div>
      </dl>
    </div>
    <div class="room-main">
      <h2>
        ${person.label}${person.role === "chair" && html`<span class="tag">${t("role.chair")}</span>`}
        <button
          type="button"
          class="bare"
          disabled=${off}
          aria-label=${t("naming.title", { name: person.name })}
          title=${t("naming.label")}
          onClick=${() => setNaming(true)}
        >
          <${Icon} name="edit" />
        </button>
      </h2>
      <p class="quiet">
        ${[entry?.unit, person.name !== person.label && person.name, person.bridge ? null : t("room.guest")].filter(Boolean).join(" · ")}
      </p>
      <div class="room-actions">
        <button
          type="button"
          aria-pressed=${String(person.audio_muted)}
          disabled=${!desk.mutes}
          onClick=${() => actions.toggleAudio(person)}
        >
          <${Icon}
            name=${person.audio_muted ? "mic-off" : "mic"}
          />${t(person.audio_muted ? "unmute" : "mute")}
        </button>
        <button
          type="button"
          aria-pressed=${String(person.video_muted)}
          disabled=${!desk.mutes}
          onClick=${() => actions.toggleVideo(person)}
        >
          <${Icon}
            name=${person.video_muted ? "camera-off" : "camera"}
          />${t(person.video_muted ? "video-on" : "video-off")}
        </button>
        <button
          type="button"
          aria-pressed=${String(person.deafened)}
          disabled=${off}
          title=${t("deafen.explain")}
          onClick=${() => actions.toggleDeaf(person)}
        >
          <${Icon}
            name=${person.deafened ? "deaf" : "headphones"}
          />${t(person.deafened ? "undeafen" : "deafen")}
        </button>
        <button
          type="button"
          aria-pressed=${String(onAir)}
          disabled=${off}
          onClick=${() => actions.toggleBroadcast(person.id)}
        >
          <${Icon} name="broadcast" />${t(onAir ? "broadcast.stop" : "broadcast")}
        </button>
        <button
          type="button"
          aria-pressed=${String(presents)}
          disabled=${off || !canPresent(person, presents)}
          title=${t("present.explain")}
          onClick=${() => actions.togglePresentation(person.id)}
        >
          <${Icon} name="screen" />${t(presents ? "present.stop" : "present")}
        </button>
        <button
          type="button"
          aria-pressed=${String(speaks)}
          disabled=${off || !here}
          onClick=${() => (speaks ? actions.endFloor() : actions.grantFloor(person.id, desk.floor.value))}
        >
          <${Icon} name="hand" />${t(speaks ? "floor.take-back" : "floor.grant")}
        </button>
        <button
          type="button"
          aria-pressed=${String(conference.chair_view === person.id)}
          disabled=${off || person.role === "chair"}
          title=${t("chair-view.explain")}
          onClick=${() => actions.toggleChairView(person.id)}
        >
          <${Icon} name="eye" />${t(conference.chair_view === person.id ? "chair-view.stop" : "chair-view")}
        </button>
        <button
          type="button"
          disabled=${off || person.role === "chair"}
          onClick=${() => actions.makeChair(person.id)}
        >
          <${Icon} name="star" />${t("make-chair")}
        </button>
        <button
          type="button"
          title=${t("transfer.explain")}
          disabled=${off}
          onClick=${() => (desk.moving.value = true)}
        >
          <${Icon} name="leave" />${t("transfer")}
        </button>
        <button
          type="button"
          class="danger"
          disabled=${off || !person.legs.length}
          title=${t("disconnect.explain")}
          onClick=${() => actions.disconnect(person)}
        >
          <${Icon} name="out" />${t("disconnect")}
        </button>
        <button type="button" class="danger" disabled=${off} onClick=${() => setRemoving(true)}>
          <${Icon} name="close" />${t("remove")}
        </button>
        ${person.bridge && html`<${MonthLink} bridge=${person.bridge} name=${person.label} />`}
        ${
          (entry?.sip || !person.bridge) &&
          desk.mutes &&
          html`<button type="button" title=${t("sip.trace.explain")} onClick=${() => setTracing(true)}>
            <${Icon} name="list" />${t("sip.trace")}
          </button>`
        }
      </div>
      <${Volume}
        person=${person}
        off=${off || busy.value.has(`volume_db:${person.id}`)}
        onChange=${(/** @type {number} */ volume_db) =>
          actions.change(person.id, { volume_db }).catch(showError)}
      />
    </div>
    ${
      tracing &&
      html`<${LadderDialog}
        path=${`conferences/${encodeURIComponent(model.id)}/participants/${encodeURIComponent(person.id)}`}
        name=${person.label}
        onClose=${() => setTracing(false)}
      />`
    }
    ${desk.moving.value && !off && html`<${TransferDialog} desk=${desk} person=${person} />`}
    ${naming && !off && html`<${NamingDialog} key=${person.id} actions=${actions} person=${person} onClose=${() => setNaming(false)} />`}
    ${
      removing &&
      html`<${Dialog}
        title=${t("remove.title", { name: person.label })}
        onClose=${() => setRemoving(false)}
      >
        <form
          class="stacked"
          autocomplete="off"
          onSubmit=${(/** @type {SubmitEvent} */ event) => {
            event.preventDefault();
            const form = /** @type {HTMLFormElement} */ (event.currentTarget);
            const reason = String(new FormData(form).get("reason") ?? "").trim();
            setRemoving(false);
            void actions.remove(person, reason);
          }}
        >
          <p>${t("remove.explain")}</p>
          <label>${t("remove.reason")}<input name="reason" maxlength="120" /></label>
          <div class="row-of-buttons">
            <button type="submit" class="danger solid">${t("remove")}</button>
            <button type="button" autofocus onClick=${() => setRemoving(false)}>
              ${t("cancel")}
            </button>
          </div>
        </form>
      <//>`
    }
  </div>`;
}

/** @param {{person: any, off: boolean, onChange: (db: number) => void}} props */
function Volume({ person, off, onChange }) {
  const [dragged, setDragged] = useState(/** @type {number | null} */ (null));
  useEffect(() => setDragged(null), [person.id, person.volume_db]);
  const shown = dragged ?? person.volume_db;
  return html`<label class="volume"
    >${t("volume")}
    <input
      type="range"
      min="-30"
      max="20"
      step="1"
      value=${shown}
      disabled=${off}
      onInput=${(/** @type {any} */ e) => setDragged(Number(e.target.value))}
      onChange=${(/** @type {any} */ e) => onChange(Number(e.target.value))}
    />
    <output>${shown > 0 ? "+" : ""}${number(shown)} dB</output>
    <button
      type="button"
      class="small"
      disabled=${off || person.volume_db === 0}
      onClick=${() => onChange(0)}
    >
      ${t("volume.reset")}
    </button>
  </label>`;
}
