/* dom.js - making elements. Text enters as text nodes only: there is no markup to inject into. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes] functions become listeners; false and undefined are
 *   left out
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name, value);
    } else if (value !== false && value !== undefined) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const ICONS = {
  brand: 'M4 2h8M4 14h8M5.5 2v12M10.5 2v12M5.5 5l5 1.6M5.5 8l5 1.6M5.5 11l5 1.6',
  check: 'M3 8.5l3.3 3.3L13 4.8',
  chevron: 'M6 4l4 4-4 4',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  down: 'M4 6l4 4 4-4',
  error: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8M8 4.8v4M8 11.1v.1',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
  help: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8M6.2 6.3a1.8 1.8 0 1 1 1.8 1.9v1M8 11.4v.1',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 1 0 0-9M10.3 10.3L14 14',
  theme: 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2M8 2v12M8 5h4.6M8 8h6M8 11h4.6',
  up: 'M4 10l4-4 4 4',
  warning: 'M8 2.2L14.3 13.4H1.7zM8 6.3v3.3M8 11.6v.1',
};

const SVG = 'http://www.w3.org/2000/svg';

/** @param {keyof typeof ICONS} name @param {string} [label] without one it is decoration */
export function icon(name, label) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('viewBox', '0 0 16 16');
  if (label === undefined) {
    svg.setAttribute('aria-hidden', 'true');
  } else {
    svg.setAttribute('role', 'img');
    svg.append(document.createElementNS(SVG, 'title'));
    svg.firstElementChild?.append(label);
  }
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {keyof typeof ICONS} name
 * @param {string} label
 * @param {() => void} click
 */
export function iconButton(name, label, click) {
  return h('button',
    { type: 'button', class: 'button-quiet button-icon', title: label, 'aria-label': label, click },
    icon(name));
}

/**
 * Sets what CSS knows as --color.
 * @template {HTMLElement} E
 * @param {E} element
 * @param {number} color
 */
export function paint(element, color) {
  element.style.setProperty('--color', `var(--service-${color})`);
  return element;
}

/**
 * A service: its colour, its name, how many spans, and whether one of them failed.
 * @param {'span' | 'button'} tag
 * @param {ServiceCount} service
 * @param {number} color
 * @param {Record<string, any>} [attributes]
 */
export function serviceChip(tag, { name, spanCount, errorCount }, color, attributes = {}) {
  return paint(h(tag, { class: 'chip', ...attributes }, name,
    h('span', { class: 'muted' }, String(spanCount)),
    errorCount > 0 ? icon('error', counted(errorCount, 'error')) : null), color);
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** The clipboard is there only on https and localhost; elsewhere the old way still works. */
/** @param {string} text */
async function copyText(text) {
  if (navigator.clipboard !== undefined) {
    return navigator.clipboard.writeText(text);
  }
  const area = h('textarea', { class: 'unseen' }, text);
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** @param {string} text @param {string} label what it is: "Copy the trace id" */
export function copyButton(text, label) {
  const button = h('button',
    { type: 'button', class: 'copy-button', title: label, 'aria-label': label }, icon('copy'));
  button.addEventListener('click', async () => {
    await copyText(text);
    button.replaceChildren(icon('check', 'Copied'));
    button.classList.add('is-done');
    setTimeout(() => {
      button.replaceChildren(icon('copy'));
      button.classList.remove('is-done');
    }, 1200);
  });
  return button;
}

/**
 * What stands where there is nothing to show: loading, nothing found, an error.
 * @param {'loading' | 'empty' | 'error'} kind
 * @param {string} title
 * @param {...(Node | string)} text
 */
export function notice(kind, title, ...text) {
  const picture = kind === 'loading' ? h('div', { class: 'spinner' })
    : icon(kind === 'error' ? 'error' : 'search');
  return h('div',
    { class: `notice notice-${kind}`, role: kind === 'error' ? 'alert' : 'status' },
    picture, h('h2', {}, title), ...text.map((part) => h('p', {}, part)));
}
