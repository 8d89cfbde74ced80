/* find_bar.js - the tools above the waterfall: find with its matches, open and close, zoom. */
import { h, iconButton } from './dom.js';

/**
 * @param {HTMLElement} parent
 * @param {{find: (text: string) => void, step: (by: 1 | -1) => void, leave: () => void,
 *   openAll: () => void, closeAll: () => void, wholeRange: () => void}} actions
 */
export function mountFindBar(parent, actions) {
  const count = h('output');
  const input = h('input', {
    type: 'search', placeholder: 'Find: text, key=value, -not', 'aria-label': 'Find spans (/)',
    autocomplete: 'off', spellcheck: 'false', input: () => actions.find(input.value),
    keydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter') {
        actions.step(event.shiftKey ? -1 : 1);
      } else if (event.key === 'Escape') {
        event.preventDefault();
        actions.leave();
      } else {
        return;
      }
      event.stopPropagation();
    },
  });
  /** @param {string} text @param {() => void} click */
  const quiet = (text, click) =>
    h('button', { type: 'button', class: 'button-quiet', click }, text);
  const whole = quiet('Whole trace', actions.wholeRange);
  parent.append(h('div', { class: 'tools' },
    h('div', { class: 'find', role: 'search' }, input,
      iconButton('up', 'Previous match (N)', () => actions.step(-1)),
      iconButton('down', 'Next match (n)', () => actions.step(1)), count),
    h('div', { class: 'tools-right' }, whole, quiet('Open all', actions.openAll),
      quiet('Close all', actions.closeAll))));
  return {
    focus: () => input.select(),
    /** @param {string} text @param {string} result @param {boolean} isZoomed */
    setState(text, result, isZoomed) {
      if (input.value !== text) {
        input.value = text;
      }
      count.value = result;
      whole.hidden = !isZoomed;
    },
  };
}
