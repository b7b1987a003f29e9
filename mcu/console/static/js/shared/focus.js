// @ts-check
// The keyboard's focus is never lost. Browsers leave it on nothing when what had it goes away or is
// switched off, and whoever works by keys begins at the top of the page again. Here the place in
// which it stood takes it, so that the next Tab leads on from there; what is switched on again, as a
// button is once its order is carried out, has it back.

/** What takes the focus for what stood in it, the nearest first: also a row that can have it itself. */
const PLACES =
  "dialog[open], section[aria-label], ul[aria-label], [role=tabpanel], [data-place], [tabindex], main";
/** So long a button may be off before its place takes the focus: its order is under way. */
const PATIENCE_MS = 250;

/** @param {Element} element */
const isUsable = (element) =>
  element.isConnected && !element.matches(":disabled") && element.checkVisibility();

/** An empty list is there, but nobody sees that it has the focus. @param {Element} element */
const isSeen = (element) => isUsable(element) && element.getBoundingClientRect().height > 0;

const isNowhere = () => !document.activeElement || document.activeElement === document.body;

/** Watch over a page, as long as it is open. Costs next to nothing while the focus is somewhere. */
export function keepFocus() {
  /** What had the focus last, and what it stood in, from the inside out. @type {Element[]} */
  let trail = [];
  /** The place that has the focus instead. @type {Element | null} */
  let holder = null;
  let timer = 0;

  const look = (/** @type {boolean} */ patient) => {
    const [last] = trail;
    if (!last || (!isNowhere() && document.activeElement !== holder)) return;
    if (isUsable(last)) /** @type {HTMLElement} */ (last).focus();
    else if (!isNowhere()) return; // its place waits for it
    else if (patient && last.isConnected) {
      clearTimeout(timer);
      timer = setTimeout(() => look(false), PATIENCE_MS);
    } else settle();
  };

  const settle = () => {
    const fields = document.querySelectorAll("main [autofocus]");
    const screens = document.querySelectorAll("main");
    const places = trail.filter((each) => each.matches(PLACES));
    [...places, ...fields, ...screens].some((each) => isSeen(each) && take(each));
  };

  /** @param {Element} place @returns {boolean} whether it has the focus now */
  const take = (place) => {
    const element = /** @type {HTMLElement} */ (place);
    if (element.tabIndex < 0 && !element.hasAttribute("tabindex")) {
      element.tabIndex = -1;
      element.addEventListener("blur", () => element.removeAttribute("tabindex"), { once: true });
    }
    holder = element;
    element.focus({ preventScroll: true });
    if (document.activeElement === element) return true;
    holder = null;
    return false;
  };

  document.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element) || target === holder) return;
    holder = null;
    trail = [];
    for (let each = /** @type {Element | null} */ (target); each; each = each.parentElement)
      trail.push(each);
  });
  document.addEventListener("focusout", ({ relatedTarget, target }) => {
    if (relatedTarget) return; // it goes elsewhere
    queueMicrotask(() => {
      const left = target === holder ? holder : trail[0];
      // Left on purpose, by a click beside it: nobody wants it back.
      if (isNowhere() && document.hasFocus() && left && isUsable(left)) trail = [];
      else look(true);
    });
  });
  new MutationObserver(() => look(true)).observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["disabled", "hidden", "open"],
  });
}

/** The first of these that is there has the focus. @param {string[]} selectors */
export function focusFirst(...selectors) {
  for (const selector of selectors) {
    const found = /** @type {HTMLElement | null} */ (document.querySelector(selector));
    if (found) return found.focus();
  }
}

/** The same, once the screen shows what has just been chosen. @param {string[]} selectors */
export function focusSoon(...selectors) {
  requestAnimationFrame(() => focusFirst(...selectors));
}
