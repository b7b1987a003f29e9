// @ts-check
// One place for what every component needs, so that the vendored files are named once.

import { h, render, Fragment, Component } from "../../vendor/preact.js";
import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useMemo,
  useId,
} from "../../vendor/hooks.js";
import { signal, computed, effect, batch, untracked, useSignal } from "../../vendor/signals.js";
import htm from "../../vendor/htm.js";

/** Templates: html`<p class="x">${value}</p>`. */
export const html = htm.bind(h);

export {
  render,
  Fragment,
  Component,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useMemo,
  useId,
  signal,
  computed,
  effect,
  batch,
  untracked,
  useSignal,
};

/**
 * Class names from truthy parts.
 * @param {...(string | false | null | undefined)} names
 */
export const classes = (...names) => names.filter(Boolean).join(" ");
