// @ts-check
// A room in the registry: made, or changed; of what kind it is, where and with what it is called.

import { classes, html, useRef, useState } from "../shared/base.js";
import { ApiError, request, send } from "../shared/api.js";
import { Dialog, Problem, show } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { inWords } from "../shared/refusals.js";
import { UnitSelect } from "./unit-select.js";
import { idOf, unchanged } from "./unit-reform.js";

export const KINDS = /** @type {const} */ (["webrtc", "sip"]);

/**
 * @typedef {{id: string, name: string, unit: string, kind: string, address: string, contact: string,
 *            phone: string, importance: string, user: string, secret: string}} Form
 * @typedef {keyof Form} Field
 * @typedef {{words: string | null, english: string}} Fault what the server says, in the page's language
 *   where that says as much; both empty for what the page sees itself
 * @typedef {Map<string, Fault>} Faults by field
 */

/** Where the server says that something of a field is wrong. @type {Record<string, Field>} */
const FIELDS = {
  "$.id": "id",
  "$.name": "name",
  "$.unit": "unit",
  "$.kind": "kind",
  "$.address": "address",
  "$.contact.name": "contact",
  "$.contact.phone": "phone",
  "$.importance": "importance",
  "$.user_name": "user",
  "$.secret": "secret",
};

/** What can be seen here already; the server judges all of it again.
 * @type {Record<string, (value: string, form: Form) => boolean>} */
const FITS = {
  id: (value) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(value),
  name: (value) => value.trim() !== "",
  unit: (value) => value !== "",
  address: (value, { kind }) => kind !== "sip" || /^[!-~]*$/.test(value),
  phone: (value) => /^[0-9+() .-]*$/.test(value),
  importance: (value) => /^\d{1,3}$/.test(value) && Number(value) <= 100,
  user: (value, { secret }) => /^[!#-~]*$/.test(value) && (value !== "" || secret === ""),
  secret: (value, { user }) => /^[ -~]*$/.test(value) && (value !== "" || user === ""),
};

/** @param {any} room the registry's record; null: a new one @param {string} unit @returns {Form} */
const formOf = (room, unit) => ({
  id: room?.id ?? "",
  name: room?.name ?? "",
  unit: room?.unit ?? unit,
  kind: room?.kind ?? "webrtc",
  address: room?.address ?? "",
  contact: room?.contact?.name ?? "",
  phone: room?.contact?.phone ?? "",
  importance: String(room?.importance ?? 0),
  user: "",
  secret: "",
});

/** @type {Fault} */
const UNFIT = { words: null, english: "" };

/** The record as the server takes it. @param {Form} form @returns {Record<string, any>} */
const recordOf = (form) => ({
  name: form.name.trim(),
  unit: form.unit,
  kind: form.kind,
  address: (form.kind === "sip" && form.address.trim()) || null,
  contact: { name: form.contact.trim() || null, phone: form.phone.trim() || null },
  importance: Number(form.importance),
});

/** Of one record what another has not. @param {Record<string, any>} after
 * @param {Record<string, any>} before */
const different = (after, before) =>
  Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
    ),
  );

/**
 * @param {{room: any, tree: {unit: any, depth: number}[], onClose: () => void,
 *          onSaved: (room: any, isNew: boolean) => void}} props `room`: null for a new one
 */
export function RoomDialog({ room, tree, onClose, onSaved }) {
  const [before, setBefore] = useState(room);
  const [form, setForm] = useState(() => formOf(room, tree[0]?.unit.id ?? ""));
  const [faults, setFaults] = useState(/** @type {Faults} */ (new Map()));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [waiting, setWaiting] = useState(false);
  const box = useRef(/** @type {HTMLFormElement | null} */ (null));
  const isSip = form.kind === "sip";
  const filled = { ...form, id: form.id || idOf(form.name) };
  const changes = before ? different(recordOf(form), recordOf(formOf(before, ""))) : null;
  const hasOutbound = Boolean(before?.sip?.has_outbound);

  const change = (/** @type {Field} */ field, /** @type {string} */ value) => {
    setForm({ ...form, [field]: value });
    setFaults(new Map([...faults].filter(([name]) => name !== field)));
  };
  const blame = (/** @type {Faults} */ found) => {
    setFaults(found);
    requestAnimationFrame(() => {
      const first = /** @type {HTMLElement | null} */ (box.current?.querySelector("[aria-invalid]"));
      first?.focus();
    });
  };
  const refused = (/** @type {any} */ reason) => {
    setWaiting(false);
    const wrong = reason instanceof ApiError ? (reason.problem.errors ?? []) : [];
    const found = new Map(
      wrong.flatMap((/** @type {any} */ one) =>
        FIELDS[one.field] ? [[FIELDS[one.field], saidOf(one)]] : [],
      ),
    );
    if (found.size < wrong.length || !found.size) setError(reason);
    if (found.size) blame(found);
  };

  const store = async () => {
    if (!before) return send("POST", "bridges", { id: filled.id, ...recordOf(form) });
    if (!Object.keys(changes ?? {}).length) return before;
    const headers = unchanged(before);
    const answer = await request(path(before), { method: "PATCH", json: changes, headers });
    return answer.json();
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setError(null);
    const checked = isSip ? filled : { ...filled, user: "", secret: "" };
    const wrong = Object.keys(FITS).filter(
      (field) => !FITS[field](checked[/** @type {Field} */ (field)], checked),
    );
    if (wrong.length) return blame(new Map(wrong.map((field) => [field, UNFIT])));
    setWaiting(true);
    try {
      const saved = await store();
      setBefore(saved); // what fails from here on leaves this as it is
      if (isSip && form.user) {
        await send("PUT", `${path(saved)}/sip-outbound`, { user_name: form.user, secret: form.secret });
        saved.sip = { ...saved.sip, has_outbound: true };
      }
      show({ tone: "good", text: t("rooms.saved", { name: saved.name }) });
      onSaved(saved, !room);
    } catch (reason) {
      refused(reason);
    }
  };
  const forget = async () => {
    setWaiting(true);
    try {
      await send("DELETE", `${path(before)}/sip-outbound`);
      setBefore({ ...before, sip: { ...before.sip, has_outbound: false } });
      setWaiting(false);
    } catch (reason) {
      refused(reason);
    }
  };

  const input = (/** @type {Field} */ field, /** @type {any} */ more = {}) =>
    html`<${Line} field=${field} fault=${faults.get(field)} hint=${more.hint ?? ""}>
      <input
        value=${form[field]}
        name=${field}
        autocomplete="off"
        spellcheck="false"
        ...${{ ...more, hint: undefined }}
        aria-invalid=${faults.has(field) ? "true" : undefined}
        aria-describedby=${`room-note-${field}`}
        onInput=${(/** @type {any} */ e) => change(field, e.target.value)}
      />
    <//>`;
  const title = room ? t("rooms.edit-of", { name: room.name }) : t("rooms.new");
  return html`<${Dialog} title=${title} onClose=${onClose} wide=${true}>
    ${error && html`<${Problem} error=${error} />`}
    <form class="room-form" ref=${box} onSubmit=${save} autocomplete="off" novalidate>
      ${input("name", { maxlength: 200, autofocus: true, required: true })}
      ${input("id", {
        hint: t("rooms.hint.id"),
        maxlength: 64,
        disabled: Boolean(before),
        placeholder: idOf(form.name),
        autocapitalize: "off",
      })}
      <${Line} field="unit" fault=${faults.get("unit")}>
        <${UnitSelect}
          tree=${tree}
          value=${form.unit}
          onPick=${(/** @type {string} */ unit) => change("unit", unit)}
        />
      <//>
      <${Line}
        field="kind"
        fault=${faults.get("kind")}
        hint=${before?.kind === "sip" && !isSip ? t("rooms.hint.becomes-web") : t(`rooms.hint.${form.kind}`)}
      >
        <select
          name="kind"
          value=${form.kind}
          onChange=${(/** @type {any} */ e) => change("kind", e.target.value)}
        >
          ${KINDS.map((kind) => html`<option key=${kind} value=${kind}>${t(`rooms.kind.${kind}`)}</option>`)}
        </select>
      <//>
      ${input("address", {
        hint: t(isSip ? "rooms.hint.address" : "rooms.hint.address-web"),
        maxlength: 255,
        disabled: !isSip,
        inputmode: "url",
        placeholder: isSip ? "sip:phong-hop@10.0.0.5" : "",
        autocapitalize: "off",
      })}
      ${input("importance", { hint: t("rooms.hint.importance"), inputmode: "numeric", maxlength: 3 })}
      ${input("contact", { maxlength: 200 })}
      ${input("phone", { maxlength: 40, inputmode: "tel" })}
      <fieldset class=${classes(!isSip && "off")} disabled=${!isSip}>
        <legend>
          ${t("rooms.outbound")}
          ${
            hasOutbound &&
            html`<span class="badge">${t("rooms.outbound.stored")}</span>
              <button type="button" class="small" disabled=${waiting} onClick=${forget}>
                ${t("rooms.outbound.forget")}
              </button>`
          }
        </legend>
        ${input("user", { maxlength: 128, autocapitalize: "off" })}
        ${input("secret", {
          hint: t(hasOutbound ? "rooms.hint.secret-again" : "rooms.hint.secret"),
          type: "password",
          autocomplete: "new-password",
          maxlength: 128,
        })}
      </fieldset>
      <div class="row-of-buttons">
        <button
          type="submit"
          class="primary"
          disabled=${waiting || (changes && !Object.keys(changes).length && !form.user && !form.secret)}
        >
          ${t("rooms.save")}
        </button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}

/** What the server says of a field; of an address that cannot be read its words are English alone.
 * @param {any} one @returns {Fault} */
const saidOf = (one) =>
  one.code === "call.address" ? UNFIT : { words: inWords(one), english: one.message };

/** @param {any} room */
const path = (room) => `bridges/${encodeURIComponent(room.id)}`;

/** A field with its name above it, and below it what is to be known of it or what is wrong with it:
 * in the same place, so that nothing moves.
 * @param {{field: Field, fault?: Fault, hint?: string, children?: any}} props */
function Line({ field, fault, hint, children }) {
  const isWrong = fault !== undefined;
  const advice = fault?.words ?? t(`rooms.wrong.${field}`);
  return html`<div class=${classes("room-line", `of-${field}`, isWrong && "wrong")}>
    <label>${t(`rooms.field.${field}`)}${children}</label>
    <p id=${`room-note-${field}`} role=${isWrong ? "alert" : undefined}>
      ${isWrong ? html`<${Icon} name="warning" />${advice}` : hint}
      ${
        fault?.words === null &&
        fault.english &&
        html` <span class="server-words" translate="no">${fault.english}</span>`
      }
    </p>
  </div>`;
}
