/*
 * list_sync.js - makes the children of an element follow a list, by key.
 *
 * An item that stays keeps its element, and with it focus and selection; an element moves only when
 * its place among the others has changed.
 */

/**
 * @template T
 * @param {HTMLElement} parent holds nothing but these children
 * @param {(item: T) => unknown} keyOf unique in a list
 * @param {(item: T) => HTMLElement} create
 * @param {(element: HTMLElement, item: T) => void} [update] called for new ones too
 * @returns {(items: T[]) => void}
 */
export function listSync(parent, keyOf, create, update) {
  /** @type {Map<unknown, HTMLElement>} */
  let live = new Map();
  return (items) => {
    /** @type {Map<unknown, HTMLElement>} */
    const next = new Map();
    for (const item of items) {
      const key = keyOf(item);
      const element = live.get(key) ?? create(item);
      live.delete(key);
      next.set(key, element);
      update?.(element, item);
    }
    live.forEach((element) => element.remove());
    live = next;
    let place = parent.firstChild;
    for (const element of next.values()) {
      if (element === place) {
        place = place.nextSibling;
      } else {
        parent.insertBefore(element, place);
      }
    }
  };
}
