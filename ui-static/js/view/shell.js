/* shell.js - the bar on top: brand, trace id box, file opener, theme, keys. */
import { h, icon, iconButton } from './dom.js';
import { traceUrl } from '../model/search_params.js';

const THEMES = ['auto', 'light', 'dark'];

const KEYS = [
  ['↓ ↑  j k', 'next, previous span'], ['→ ←', 'open; close, or go to the parent'],
  ['Enter', 'details of the span'], ['Esc', 'close the details; show the whole trace'],
  ['/', 'find'], ['n  N', 'next, previous match'], ['e  E', 'next, previous error'],
  ['] [', 'open all, close all'], ['+ −  0', 'zoom in, out, whole trace'],
  ['<  >', 'move the visible range'],
];

/** The button goes through auto, light and dark; theme_boot.js sets it before the first paint. */
function themeButton() {
  const root = document.documentElement;
  const button = iconButton('theme', '', () => {
    const now = THEMES.indexOf(root.dataset.theme ?? 'auto');
    root.dataset.theme = THEMES[(now + 1) % THEMES.length];
    localStorage.setItem('theme', root.dataset.theme);
    label();
    dispatchEvent(new Event('themechange'));
  });
  function label() {
    button.title = `Theme: ${root.dataset.theme ?? 'auto'}`;
    button.setAttribute('aria-label', button.title);
  }
  label();
  return button;
}

function keysDialog() {
  const dialog = h('dialog', { 'aria-label': 'Keys' });
  dialog.append(
    h('h2', {}, 'Keys on the trace page'),
    h('dl', { class: 'keys' }, ...KEYS.flatMap(([keys, text]) => [
      h('dt', {}, ...keys.split(/ +/).flatMap((key) => [h('kbd', {}, key), ' '])),
      h('dd', {}, text),
    ])),
    h('button', { type: 'button', click: () => dialog.close() }, 'Close'));
  return dialog;
}

/** @param {(url: string) => void} goTo */
function traceIdForm(goTo) {
  const input = h('input', {
    name: 'trace', placeholder: 'Go to a trace id', 'aria-label': 'Trace id', autocomplete: 'off',
    spellcheck: 'false', input: () => input.setCustomValidity(''),
  });
  return h('form', {
    class: 'trace-id-form', role: 'search', novalidate: true,
    submit: (/** @type {Event} */ event) => {
      const url = traceUrl(input.value);
      event.preventDefault();
      if (url === null) {
        input.setCustomValidity('A trace id has 32 or 16 hex digits.');
        input.reportValidity();
      } else {
        input.value = '';
        goTo(url);
      }
    },
  }, input);
}

/** @param {(file: File) => void} openFile */
function fileOpener(openFile) {
  const input = h('input', {
    type: 'file', accept: '.json,.jsonl,.ndjson', hidden: true, 'aria-label': 'OTLP JSON file',
    change: () => {
      if (input.files?.[0]) {
        openFile(input.files[0]);
        input.value = '';
      }
    },
  });
  const { body } = document;
  addEventListener('dragover', (event) => {
    event.preventDefault();
    body.classList.add('dropping');
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) {
      body.classList.remove('dropping');
    }
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    body.classList.remove('dropping');
    if (event.dataTransfer?.files[0]) {
      openFile(event.dataTransfer.files[0]);
    }
  });
  return [input, h('button',
    { type: 'button', title: 'Open an OTLP JSON file', click: () => input.click() },
    icon('file'), h('span', { class: 'button-text' }, 'Open file'))];
}

/**
 * @param {HTMLElement} bar
 * @param {{goTo: (url: string) => void, openFile: (file: File) => void}} actions
 */
export function mountShell(bar, { goTo, openFile }) {
  const keys = keysDialog();
  bar.append(
    h('a', { href: '/search', class: 'brand' }, icon('brand'), 'Bobbin'),
    h('span', { class: 'topbar-gap' }),
    traceIdForm(goTo),
    ...fileOpener(openFile),
    iconButton('help', 'Keys (?)', () => keys.showModal()),
    themeButton(),
    keys);
  return { showKeys: () => keys.showModal() };
}
