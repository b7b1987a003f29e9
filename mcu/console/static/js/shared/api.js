// @ts-check
// Calls to the REST interface with the session cookie. Every failure becomes an ApiError that can
// say what to do next; a failure is never swallowed here.

import { signal } from "./base.js";
import { hasText, language, t } from "./i18n.js";
import { noteServerTime } from "./procedure.js";
import { told } from "./refusals.js";

const BASE = "/api/v1";
const TIMEOUT_MS = 15_000;

/**
 * Who is signed in: undefined until asked, null when nobody.
 * @type {import("../../vendor/signals.js").Signal<any>}
 */
export const session = signal(undefined);

/** Whether nobody is signed in because the session ended under the page. */
export const sessionOver = signal(false);

/** The server knows the session no more. */
export function endSession() {
  if (session.peek()) sessionOver.value = true;
  session.value = null;
}

/**
 * The bridge whose session this page goes by; empty: the operator's. A browser may hold the
 * console's session and those of several rooms at once.
 */
let room = "";

/** @param {string} id */
export function actAsRoom(id) {
  room = id;
}

/** What says whose session a request goes by. @returns {Record<string, string>} */
export const roomHeader = () => (room ? { "X-MCU-Room": room } : {});

export class ApiError extends Error {
  /**
   * @param {number} status HTTP status, 0 when the server was not reached
   * @param {any} problem the problem document (RFC 9457), or {}
   * @param {number | null} [retryAfter] seconds the server asked to wait
   */
  constructor(status, problem, retryAfter = null) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
    /** Whether a token or session was sent and is not good any more (RFC 6750 section 3.1). */
    this.rejected = false;
  }

  /** The last part of the problem's type: `conflict`, `invalid-input`, … */
  get kind() {
    return (
      String(this.problem.type ?? "")
        .split(":")
        .pop() ?? ""
    );
  }

  /** What happened and what to do next, in the page's language. */
  get advice() {
    if (this.status === 0) return t("error.unreachable");
    const { words } = told(this.problem);
    if (words.length) return words.join(" ");
    if (this.kind && hasText(`error.${this.kind}`)) return t(`error.${this.kind}`);
    if (hasText(`error.${this.status}`)) return t(`error.${this.status}`);
    return t(this.status >= 500 ? "error.500" : "error.400", { status: this.status });
  }

  /** The server's own words, as far as the advice does not say them. */
  get detail() {
    if (this.kind === "unauthenticated") return ""; // the advice says it all
    return told(this.problem).left.join(" · ");
  }
}

/**
 * @param {string} path below /api/v1, or absolute when it begins with two slashes
 * @param {{method?: string, json?: any, body?: string, type?: string, bearer?: string,
 *          headers?: Record<string, string>, signal?: AbortSignal, again?: boolean, waits?: number}} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, options = {}) {
  const method = options.method ?? "GET";
  /** @type {Record<string, string>} */
  const headers = { "Accept-Language": language.value, ...roomHeader(), ...options.headers };
  let body = options.body;
  if (options.json !== undefined) {
    body = JSON.stringify(options.json);
    headers["Content-Type"] = "application/json";
  } else if (options.type) {
    headers["Content-Type"] = options.type;
  }
  if (options.bearer) headers.Authorization = `Bearer ${options.bearer}`;
  else if (method !== "GET" && session.value) headers["X-CSRF-Token"] = session.value.csrf_token;
  const timeout = AbortSignal.timeout(options.waits ?? TIMEOUT_MS);
  let response;
  try {
    response = await fetch(path.startsWith("/") ? path : `${BASE}/${path}`, {
      method,
      headers,
      body,
      credentials: "same-origin",
      cache: "no-store",
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { detail: "" });
  }
  noteServerTime(response.headers.get("Date"));
  if (response.ok) return response;
  if (response.status === 401 && !options.bearer) endSession();
  const problem = (await response.json().catch(() => null)) ?? {};
  const wait = Number(response.headers.get("Retry-After"));
  const error = new ApiError(response.status, problem, wait > 0 ? wait : null);
  error.rejected = (response.headers.get("WWW-Authenticate") ?? "").includes("invalid_token");
  if (error.kind === "csrf" && !options.again) {
    // Another page of this browser has signed in since: its session is this page's too.
    await resumeSession();
    if (session.value) return request(path, { ...options, again: true });
  }
  throw error;
}

/** @param {string} path */
export const get = async (path) => (await request(path)).json();

/** @param {string} method @param {string} path @param {any} [json] */
export async function send(method, path, json) {
  /** @type {Record<string, string>} */
  const headers = method === "POST" ? { "Idempotency-Key": crypto.randomUUID?.() ?? uuid() } : {};
  const response = await request(path, { method, json, headers });
  if (response.status === 204) return null;
  const type = response.headers.get("Content-Type") ?? "";
  return type.includes("json") ? response.json() : null;
}

/** All items of a paged list. @param {string} path @returns {Promise<any[]>} */
export async function getAll(path) {
  const items = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({ limit: "200" });
    if (cursor) query.set("cursor", cursor);
    const page = await get(`${path}${path.includes("?") ? "&" : "?"}${query}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return items;
}

/**
 * Exchange a token for the session cookie. The token is not kept anywhere.
 * @param {string} token
 */
export async function signIn(token) {
  const response = await request("session", { method: "POST", bearer: token });
  const who = await response.json();
  actAsRoom(who.bridge ?? "");
  sessionOver.value = false;
  session.value = who;
}

/** Ask whether the browser still has a session; leaves null when not. */
export async function resumeSession() {
  try {
    session.value = await get("session");
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    endSession();
    if (error.rejected) sessionOver.value = true;
  }
}

export async function signOut() {
  await send("DELETE", "session");
  sessionOver.value = false;
  session.value = null;
}

/**
 * Take parameters out of the address, where they would stay in the history and on the screen.
 * @returns {URLSearchParams} empty when the fragment holds none
 */
export function takeFragment() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  if (!parameters.has("token")) return new URLSearchParams();
  history.replaceState(null, "", location.pathname + location.search);
  return parameters;
}

// crypto.randomUUID exists only in secure contexts, and the console also runs on plain HTTP.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
