// @ts-check
// Some rooms out of many: those that are chosen, each with a button that lets it go, and the rest.

import { html } from "../shared/base.js";
import { opensFirst } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName } from "../shared/i18n.js";

/**
 * @param {{chosen: string[], people: {id: string, name: string}[], add: string,
 *          leave: (name: string) => string, change: (ids: string[]) => void, disabled?: boolean}} props
 *   `add`: what the list of the others is called; `leave`: what the button of a chosen one says
 */
export function Several({ chosen, people, add, leave, change, disabled = false }) {
  const names = new Map(people.map((person) => [person.id, person.name]));
  const rest = people
    .filter((person) => !chosen.includes(person.id))
    .sort((a, b) => byName(a.name, b.name));
  return html`<span class="several">
    ${chosen.map((id) => {
      const name = names.get(id) ?? id;
      return html`<button
        type="button"
        key=${id}
        class="small"
        disabled=${disabled}
        aria-label=${leave(name)}
        title=${leave(name)}
        onClick=${() => change(chosen.filter((each) => each !== id))}
      >
        ${name}<${Icon} name="close" />
      </button>`;
    })}
    ${
      rest.length > 0 &&
      html`<select
        aria-label=${add}
        disabled=${disabled}
        value=""
        onKeyDown=${opensFirst}
        onChange=${(/** @type {any} */ e) => {
          const id = e.target.value;
          e.target.value = "";
          if (id) change([...chosen, id]);
        }}
      >
        <option value="">${add}</option>
        ${rest.map((person) => html`<option key=${person.id} value=${person.id}>${person.name}</option>`)}
      </select>`
    }
  </span>`;
}
