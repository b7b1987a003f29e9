// @ts-check
// Thumbnails as they come. 145 pictures a second would be as many renderings, so a picture goes
// straight into its element. Nothing is asked for while the page is hidden.

import { signal } from "../shared/base.js";
import { EventStream } from "../shared/events.js";

const SETTLE_MS = 400; // who turns pages quickly opens one stream, not one for each page

export class Thumbnails {
  /** @param {string} conference */
  constructor(conference) {
    this.path = `/api/v1/conferences/${encodeURIComponent(conference)}/wall/pictures`;
    /** Rooms that have sent nothing new for too long. */
    this.stale = signal(/** @type {ReadonlySet<string>} */ (new Set()));
    /** Whether pictures come: connecting, live, waiting, paused, stopped. */
    this.state = signal("connecting");
    /** @type {Map<string, string>} address of each room's newest picture */
    this.pictures = new Map();
    /** @type {Map<string, Set<HTMLImageElement>>} */
    this.elements = new Map();
    /** @type {string[] | null} whose pictures are looked at; null: all */
    this.wanted = [];
    this.timer = 0;
    /** @type {EventStream | null} */
    this.stream = null;
    this.turn = () => this.#open();
    document.addEventListener("visibilitychange", this.turn);
  }

  close() {
    document.removeEventListener("visibilitychange", this.turn);
    clearTimeout(this.timer);
    this.stream?.stop();
    this.stream = null;
  }

  /** Look at these rooms from now on. @param {string[] | null} ids null: at all */
  look(ids) {
    if (same(ids, this.wanted)) return;
    this.wanted = ids;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#open(), this.stream ? SETTLE_MS : 0);
  }

  /** Show a room's pictures until the returned function is called. @param {string} id @param {HTMLImageElement} element */
  attach(id, element) {
    const group = this.elements.get(id) ?? new Set();
    this.elements.set(id, group.add(element));
    show(element, this.pictures.get(id));
    return () => {
      group.delete(element);
      if (!group.size && this.elements.get(id) === group) this.elements.delete(id);
    };
  }

  #open() {
    this.stream?.stop();
    this.stream = null;
    if (document.hidden || (this.wanted && !this.wanted.length)) {
      this.state.value = document.hidden ? "paused" : "live";
      return;
    }
    const ids = this.wanted?.map(encodeURIComponent).join(",");
    this.stream = new EventStream(ids ? `${this.path}?participants=${ids}` : this.path, {
      onEvent: (event) => this.#receive(event),
      onOpen: () => undefined,
      onLink: ({ state }) => (this.state.value = state),
    });
  }

  /** @param {any} event */
  #receive(event) {
    if (event.participants) {
      // Of rooms that are not looked at nothing new is known: they stay as they were, or what is
      // told of a page would turn it.
      const wanted = new Set(this.wanted ?? []);
      const kept = this.wanted ? [...this.stale.peek()].filter((id) => !wanted.has(id)) : [];
      this.stale.value = new Set([...kept, ...event.participants]);
      return;
    }
    const picture = `data:image/jpeg;base64,${event.jpeg}`;
    this.pictures.set(event.participant, picture);
    for (const element of this.elements.get(event.participant) ?? []) show(element, picture);
  }
}

/** @param {HTMLImageElement} element @param {string | undefined} picture */
function show(element, picture) {
  element.hidden = !picture;
  if (picture) element.src = picture;
}

/** @param {string[] | null} a @param {string[] | null} b */
const same = (a, b) =>
  a === b || (a !== null && b !== null && a.length === b.length && new Set([...a, ...b]).size === a.length);
