/*
 * trace_page.js - one trace: puts the header, overview, waterfall and details together, holds what
 * is looked at, and turns keys into moves. What is looked at stands in the URL:
 *
 *   span       the span whose details are open
 *   find       the text of the find box
 *   range      FROM-TO, the visible range in nanoseconds from the trace's start
 *   collapsed  ids of the spans that are closed, up to COLLAPSED_URL_MAX of them
 */
import { counted, h } from './dom.js';
import { mountFindBar } from './find_bar.js';
import { mountMinimap } from './minimap.js';
import { mountSpanDetail } from './span_detail.js';
import { mountTimeline } from './timeline.js';
import { mountTraceHeader } from './trace_header.js';
import { matches, parseFind } from '../model/find.js';
import { clampRange, panRange, wholeRange, zoomRange } from '../model/layout.js';
import { makeServiceColors } from '../model/service_colors.js';
import { allParents, reveal, rowOf, visibleRows } from '../model/trace_rows.js';

const COLLAPSED_URL_MAX = 100;

/** Browsers refuse a page that changes its address with every step of a key that is held down. */
const URL_DELAY_MS = 120;
const NONE = /** @type {ReadonlySet<number>} */ (new Set());

/** Spans that are looked through before the page gets a turn. */
const FIND_BATCH = 2000;

/** @param {Trace} trace @param {string | null} text */
function rangeOfUrl(trace, text) {
  const parts = /^(\d+)-(\d+)$/.exec(text ?? '');
  return parts === null ? wholeRange(trace.duration)
    : clampRange({ from: Number(parts[1]), to: Number(parts[2]) }, trace.duration);
}

/**
 * @param {HTMLElement} parent
 * @param {Trace} trace
 * @param {{params: URLSearchParams, rawHref: string,
 *   setParams: (params: Record<string, string>) => void}} context
 * @returns {{unmount: () => void}}
 */
export function mountTracePage(parent, trace, { params, rawHref, setParams }) {
  const { nodes } = trace;
  const whole = wholeRange(trace.duration);
  const colorOf = makeServiceColors();
  trace.services.forEach(({ name }) => colorOf(name));

  const ids = new Set(params.get('collapsed')?.split(',') ?? []);
  let collapsed = /** @type {ReadonlySet<number>} */ (new Set(
    nodes.filter((node) => node.childCount > 0 && ids.has(node.id)).map((node) => node.index)));
  let cursor = nodes.findIndex((node) => node.id === params.get('span'));
  let isOpen = cursor >= 0;
  let range = rangeOfUrl(trace, params.get('range'));
  let findText = params.get('find') ?? '';
  let terms = parseFind(findText);
  let found = /** @type {number[]} */ ([]);
  let foundSet = NONE;
  let findRun = 0;
  let urlTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  let rows = visibleRows(trace, collapsed);

  const page = h('main', { class: 'trace-page' });
  parent.append(page);
  mountTraceHeader(page, trace, { colorOf, rawHref, find });
  const minimap = mountMinimap(page, trace, { colorOf, setRange });
  const waterfall = h('div', { class: 'waterfall' });
  page.append(waterfall);
  const findBar = mountFindBar(waterfall, {
    find, step: (by) => step(found, by), leave: () => timeline.focus(),
    openAll: () => setCollapsed(NONE), closeAll: () => setCollapsed(allParents(trace)),
    wholeRange: () => setRange(whole),
  });
  const timeline = mountTimeline(waterfall, trace, {
    colorOf, toggle,
    open: (index) => {
      isOpen = true;
      moveTo(index);
    },
  });
  const detail = mountSpanDetail(page, trace, { colorOf, close });

  function isZoomed() {
    return range.from !== whole.from || range.to !== whole.to;
  }

  function findResult() {
    if (terms.length === 0) {
      return '';
    }
    const place = cursor < 0 ? -1 : found.indexOf(cursor);
    return found.length === 0 ? 'no match'
      : place < 0 ? counted(found.length, 'match', 'matches') : `${place + 1} of ${found.length}`;
  }

  /** Draws everything from what is looked at, and soon after writes it into the URL. */
  function update() {
    timeline.setState({ rows, collapsed, range, cursor, matches: foundSet });
    minimap.setRange(range);
    findBar.setState(findText, findResult(), isZoomed());
    detail.show(isOpen ? nodes[cursor] : null);
    clearTimeout(urlTimer);
    urlTimer = setTimeout(writeUrl, URL_DELAY_MS);
  }

  function writeUrl() {
    setParams({
      span: isOpen ? nodes[cursor].id : '',
      find: findText,
      range: isZoomed() ? `${range.from}-${range.to}` : '',
      collapsed: collapsed.size > COLLAPSED_URL_MAX ? ''
        : [...collapsed].map((index) => nodes[index].id).join(','),
    });
  }

  /** @param {ViewRange} next */
  function setRange(next) {
    range = next;
    update();
  }

  /** @param {ReadonlySet<number>} next */
  function setCollapsed(next) {
    collapsed = next;
    rows = visibleRows(trace, collapsed);
    cursor = cursor < 0 ? cursor : rows[rowOf(rows, cursor)];
    update();
  }

  /** @param {number} index */
  function toggle(index) {
    const next = new Set(collapsed);
    if (!next.delete(index)) {
      next.add(index);
    }
    setCollapsed(next);
  }

  /** @param {number} index */
  function moveTo(index) {
    cursor = index;
    setCollapsed(reveal(trace, collapsed, index));
    timeline.reveal(index);
  }

  /** @param {number} by rows */
  function moveBy(by) {
    const row = cursor < 0 ? (by > 0 ? -1 : rows.length) : rowOf(rows, cursor);
    moveTo(rows[Math.min(Math.max(row + by, 0), rows.length - 1)]);
  }

  /** Goes to the next in a sorted list, around its end. */
  /** @param {number[]} indexes @param {1 | -1} by */
  function step(indexes, by) {
    if (indexes.length > 0) {
      const next = by > 0 ? indexes.find((index) => index > cursor)
        : indexes.findLast((index) => index < cursor || cursor < 0);
      moveTo(next ?? /** @type {number} */ (indexes.at(by > 0 ? 0 : -1)));
    }
  }

  /** A later search stops an earlier one. @param {string} text */
  async function find(text) {
    const run = ++findRun;
    const wanted = parseFind(text);
    const result = [];
    findText = text;
    for (let i = 0; wanted.length > 0 && i < nodes.length; i++) {
      if (i % FIND_BATCH === FIND_BATCH - 1) {
        await new Promise((resolve) => { setTimeout(resolve); });
        if (run !== findRun) {
          return;
        }
      }
      const { span } = nodes[i];
      if (span !== null && matches(wanted, span)) {
        result.push(i);
      }
    }
    terms = wanted;
    found = result;
    foundSet = new Set(result);
    update();
    if (result.length > 0 && !foundSet.has(cursor) && !isOpen) {
      timeline.reveal(result[0]);
    }
  }

  function close() {
    isOpen = false;
    update();
    timeline.focus();
  }

  /** → opens or goes in; ← closes or goes out. @param {boolean} isRight */
  function moveAcross(isRight) {
    const node = nodes[cursor];
    if (node === undefined) {
      moveBy(1);
    } else if (node.childCount > 0 && collapsed.has(cursor) === isRight) {
      toggle(cursor);
    } else if (isRight ? node.childCount > 0 : node.parent >= 0) {
      moveTo(isRight ? cursor + 1 : node.parent);
    }
  }

  /** @param {number} factor */
  function zoom(factor) {
    const node = nodes[cursor];
    const wanted = node === undefined ? (range.from + range.to) / 2
      : node.start + node.duration / 2;
    const center = Math.min(Math.max(wanted, range.from), range.to);
    setRange(zoomRange(range, trace.duration, factor, center));
  }

  const errors = nodes.filter((node) => node.isError).map((node) => node.index);
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: () => moveBy(1), j: () => moveBy(1), ArrowUp: () => moveBy(-1), k: () => moveBy(-1),
    PageDown: () => moveBy(timeline.pageRows()), PageUp: () => moveBy(-timeline.pageRows()),
    Home: () => moveTo(0), End: () => moveTo(rows[rows.length - 1]),
    ArrowRight: () => moveAcross(true), ArrowLeft: () => moveAcross(false),
    Enter: () => { isOpen = cursor >= 0; update(); },
    Escape: () => (isOpen ? close() : setRange(whole)),
    '/': () => findBar.focus(), n: () => step(found, 1), N: () => step(found, -1),
    e: () => step(errors, 1), E: () => step(errors, -1),
    ']': () => setCollapsed(NONE), '[': () => setCollapsed(allParents(trace)),
    '+': () => zoom(0.5), '-': () => zoom(2), 0: () => setRange(whole),
    '<': () => setRange(panRange(range, trace.duration, -0.25)),
    '>': () => setRange(panRange(range, trace.duration, 0.25)),
  };

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const isTyping = target.closest('input, select, textarea, dialog') !== null;
    const isControl = target.closest('button, a, summary, .detail') !== null;
    const action = keys[event.key];
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || action === undefined
      || (isControl && event.key !== 'Escape' && event.key.length > 1)) {
      return;
    }
    event.preventDefault();
    action();
    if (!isControl && event.key !== '/') {
      timeline.focus();
    }
  }

  document.addEventListener('keydown', onKey);
  update();
  if (cursor >= 0) {
    moveTo(cursor);
  }
  find(findText);
  return {
    unmount() {
      document.removeEventListener('keydown', onKey);
      clearTimeout(urlTimer);
      findRun++;
      minimap.unmount();
      timeline.unmount();
    },
  };
}
