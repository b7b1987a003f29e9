// @ts-check
// The event stream (server-sent events) with resumption. EventSource itself cannot say why it was
// refused and forgets the last id when it is made anew, so the stream is read with fetch.

import { Backoff } from "./backoff.js";
import { ApiError, endSession, roomHeader } from "./api.js";

const SILENCE_MS = 45_000; // the server sends at least a comment every 15 s
/** After so much silence it is asked whether it is there at all, where somebody relies on it. */
const QUIET_MS = 5_000;
const ANSWER_MS = 4_000;
const ALIVE = "/healthz";

/**
 * Takes the text of an event stream apart (WHATWG HTML section 9.2.6); chunks may end anywhere.
 */
export class EventParser {
  /** @param {(event: {id: string | null, data: string}) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    /** @type {string[]} */
    this.data = [];
    /** @type {string | null} */
    this.id = null;
  }

  /** @param {string} text */
  push(text) {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") {
      if (this.data.length) this.onEvent({ id: this.id, data: this.data.join("\n") });
      this.data = [];
      this.id = null;
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment keeps the connection alive
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "id") this.id = value;
  }
}

/**
 * @typedef {{state: "connecting" | "live" | "waiting" | "stopped" | "gone", retryAt: number, attempt: number, since?: number}} Link
 * `since`: when the server was last heard, in ms; 0 while it is.
 */

export class EventStream {
  /**
   * @param {string} path for example /api/v1/events?conference=…
   * @param {{onEvent: (event: any) => void, onOpen: () => void, onLink: (link: Link) => void,
   *          backoff?: Backoff, asks?: boolean}} options `onOpen` is called after every successful connection:
   *        what was missed and cannot be resumed is read again there. "stopped" comes when the
   *        server refuses the stream, "gone" when there is no such conference: neither is retried.
   *        `asks`: a server that is silent is asked whether it lives, so that one that hangs, or
   *        whose line is cut, is known within seconds
   */
  constructor(path, { onEvent, onOpen, onLink, backoff = new Backoff(), asks = false }) {
    this.path = path;
    this.onEvent = onEvent;
    this.onOpen = onOpen;
    this.onLink = onLink;
    this.backoff = backoff;
    this.asks = asks;
    this.heardAt = Date.now();
    this.live = false;
    /** @type {string | null} */
    this.lastId = null;
    this.stopped = false;
    /** @type {AbortController | null} */
    this.abort = null;
    this.timer = 0;
    this.watchdog = 0;
    this.wake = () => this.retryNow();
    addEventListener("online", this.wake);
    void this.#connect();
  }

  stop() {
    this.stopped = true;
    removeEventListener("online", this.wake);
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    this.watchdog = 0;
    this.abort?.abort();
    this.#report("stopped");
  }

  /** Do not wait for the rest of the delay. */
  retryNow() {
    if (this.stopped || !this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    void this.#connect();
  }

  async #connect() {
    if (this.stopped) return;
    this.#report("connecting");
    const abort = (this.abort = new AbortController());
    try {
      this.#watch();
      /** @type {Record<string, string>} */
      const headers = { Accept: "text/event-stream", ...roomHeader() };
      if (this.lastId !== null) headers["Last-Event-ID"] = this.lastId;
      const response = await fetch(this.path, {
        headers,
        credentials: "same-origin",
        cache: "no-store",
        signal: abort.signal,
      });
      if (!response.ok || !response.body) {
        if (response.status === 401) endSession();
        if (response.status === 410 || response.status === 404) this.lastId = null;
        throw new ApiError(
          response.status,
          (await response.json().catch(() => null)) ?? {},
          Number(response.headers.get("Retry-After")) || null,
        );
      }
      this.backoff.reset();
      this.live = true;
      this.heardAt = Date.now();
      this.#report("live");
      this.onOpen();
      await this.#read(response.body);
      this.#again(null);
    } catch (error) {
      this.#again(error instanceof ApiError ? error : null);
    }
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async #read(body) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser(({ id, data }) => {
      if (id !== null) this.lastId = id;
      if (!this.stopped) this.onEvent(JSON.parse(data));
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.heardAt = Date.now();
      this.#watch();
      parser.push(decoder.decode(value, { stream: true }));
    }
  }

  #watch() {
    clearTimeout(this.watchdog);
    this.watchdog = this.asks
      ? setTimeout(() => void this.#ask(Date.now() + SILENCE_MS), QUIET_MS)
      : setTimeout(() => this.abort?.abort(), SILENCE_MS);
  }

  /** Whether the server is there, again and again until it says something of itself. @param {number} until */
  async #ask(until) {
    const { abort } = this;
    const watchdog = this.watchdog;
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(ALIVE, { cache: "no-store", signal }).catch(() => null);
    if (this.watchdog !== watchdog) return; // it has said something meanwhile, or all is over
    if (!answer || answer.status >= 500 || Date.now() > until) abort?.abort();
    else this.watchdog = setTimeout(() => void this.#ask(until), QUIET_MS);
  }

  /** @param {ApiError | null} error */
  #again(error) {
    clearTimeout(this.watchdog);
    this.watchdog = 0;
    this.live = false;
    this.abort?.abort();
    if (this.stopped) return;
    if (error?.status === 401 || error?.status === 403) {
      this.stopped = true;
      this.#report("stopped");
      return;
    }
    // A proxy may answer 404 while the server starts; the server itself says it of what is gone.
    if (error?.status === 404 && error.kind === "not-found" && this.path.includes("?")) {
      this.stopped = true;
      this.#report("gone");
      return;
    }
    const delay = Math.max(this.backoff.next(), (error?.retryAfter ?? 0) * 1000);
    this.timer = setTimeout(() => {
      this.timer = 0;
      void this.#connect();
    }, delay);
    this.#report("waiting", Date.now() + delay);
  }

  /** @param {Link["state"]} state */
  #report(state, retryAt = 0) {
    const since = this.live ? 0 : this.heardAt;
    this.onLink({ state, retryAt, attempt: this.backoff.attempt, since });
  }
}
