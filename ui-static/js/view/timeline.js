/*
 * timeline.js - the rows of the waterfall, with their ruler.
 *
 * Only the rows on the screen are in the document (row_window.js); they are drawn again, at most
 * once a frame, when the list is scrolled, resized, or given another state.
 */
import { counted, h, icon, paint } from './dom.js';
import { listSync } from './list_sync.js';
import { fractionOf, placeBar, rulerTicks } from '../model/layout.js';
import { rowWindow, scrollToRow } from '../model/row_window.js';
import { rowOf } from '../model/trace_rows.js';
import { formatDuration, parseNanos } from '../model/time.js';
import { nodeWarnings } from '../model/warnings.js';

const ROW_HEIGHT = 28; // --row-height in css/tokens.css
const INDENT = 14;
const EVENT_TICKS_MAX = 40;
const TICK_SPACE_PX = 110;

/** @param {HTMLElement} element @param {number} fraction of the visible range */
function atFraction(element, fraction) {
  element.style.left = `${fraction * 100}%`;
  return element;
}

/** What a screen reader says of a row. @param {SpanNode} node */
function rowLabel({ span, isError, duration, childCount, id }) {
  return span === null ? `Span ${id} was not received; ${counted(childCount, 'child', 'children')}`
    : `${isError ? 'Error: ' : ''}${span.service} ${span.name}, ${formatDuration(duration)}`;
}

/**
 * @param {SpanNode} node
 * @param {Trace} trace
 * @param {TimelineState} state
 * @param {TimelineContext} context
 */
function nameCell(node, trace, { collapsed }, { toggle }) {
  const { span, index, childCount, depth } = node;
  const indent = h('span', { class: 'row-indent' });
  indent.style.width = `${depth * INDENT}px`;
  const isSame = span !== null && trace.nodes[node.parent]?.span?.service === span.service;
  const warning = nodeWarnings(node, trace).join(' ');
  return h('div', { class: 'row-name' },
    indent,
    h('button', {
      type: 'button', tabindex: -1, 'aria-hidden': 'true',
      class: `row-toggle ${childCount === 0 ? 'is-leaf' : ''}`,
      click: (/** @type {Event} */ event) => {
        event.stopPropagation();
        toggle(index);
      },
    }, icon('chevron')),
    h('span', { class: 'row-color' }),
    node.isError ? icon('error', 'error') : null,
    warning === '' ? null : icon('warning', warning),
    span === null ? null
      : h('span', { class: `row-service ${isSame ? 'is-same' : ''}` }, span.service),
    h('span', { class: 'row-operation' },
      span === null ? `parent ${node.id} was not received` : span.name),
    collapsed.has(index) ? h('span', { class: 'row-hidden' }, `+${node.end - index - 1}`) : null);
}

/** @param {SpanNode} node @param {Trace} trace @param {TimelineState} state */
function trackCell({ span, start, duration, hasNoTime }, trace, { range }) {
  const track = h('div', { class: 'row-track' });
  const { left, width, isVisible } = placeBar(range, start, duration);
  if (isVisible) {
    const bar = h('div', { class: 'bar' });
    bar.style.width = `${width * 100}%`;
    const label = h('span', { class: 'bar-label' },
      hasNoTime ? 'no time' : formatDuration(duration));
    track.append(atFraction(bar, left), atFraction(label, left + width));
  }
  for (const event of span?.raw.events?.slice(0, EVENT_TICKS_MAX) ?? []) {
    const at = Number(parseNanos(event.timeUnixNano) - trace.start);
    const fraction = fractionOf(range, at);
    if (fraction >= 0 && fraction <= 1) {
      track.append(atFraction(h('i',
        { class: 'event-tick', title: `${event.name ?? ''} at ${formatDuration(at)}` }), fraction));
    }
  }
  return track;
}

/**
 * @param {HTMLElement} parent
 * @param {Trace} trace
 * @param {TimelineContext} context
 */
export function mountTimeline(parent, trace, context) {
  const ticks = h('div', { class: 'ruler-ticks' });
  const lines = h('div', { class: 'grid-lines' });
  const inner = h('div', { class: 'rows-inner' });
  const rowsView = h('div', {
    class: 'rows', role: 'tree', tabindex: 0, 'aria-label': 'Spans of the trace', scroll: schedule,
  }, inner);
  const ruler = h('div', { class: 'ruler' },
    h('div', { class: 'ruler-name' }, 'Service and operation'), ticks);
  const frame = h('div', { class: 'rows-frame' }, lines, rowsView);
  parent.append(ruler, frame);

  /** @type {TimelineState | null} */
  let state = null;
  let isScheduled = false;
  let drawn = /** @type {unknown[]} */ ([]);

  const sync = listSync(inner, (/** @type {number} */ row) => state?.rows[row], makeRow,
    (element, row) => {
      const y = window_.offset + row * ROW_HEIGHT;
      element.style.transform = `translateY(${y}px)`;
      element.setAttribute('aria-selected', String(state?.rows[row] === state?.cursor));
    });
  let window_ = rowWindow(sizeNow(), 0);

  function sizeNow() {
    const viewHeight = rowsView.clientHeight;
    return { rowCount: state?.rows.length ?? 0, rowHeight: ROW_HEIGHT, viewHeight };
  }

  /** @param {number} row */
  function makeRow(row) {
    const now = /** @type {TimelineState} */ (state);
    const node = trace.nodes[now.rows[row]];
    const { index, childCount } = node;
    const element = h('div', {
      id: `row-${index}`, role: 'treeitem',
      class: `row ${now.matches.has(index) ? 'is-match' : ''}`,
      'aria-level': node.depth + 1, 'aria-label': rowLabel(node),
      'aria-expanded': childCount > 0 && String(!now.collapsed.has(index)),
      'data-span-id': node.span !== null && node.id, 'data-error': node.isError && 'true',
      'data-missing': node.span === null && 'true',
      click: () => context.open(index),
    }, nameCell(node, trace, now, context), trackCell(node, trace, now));
    return node.span === null ? element : paint(element, context.colorOf(node.span.service));
  }

  function drawRuler() {
    const now = /** @type {TimelineState} */ (state);
    const marks = rulerTicks(now.range, Math.floor(ticks.clientWidth / TICK_SPACE_PX));
    ticks.replaceChildren(...marks.map(({ fraction, label }) =>
      atFraction(h('span', {}, label), fraction)));
    lines.replaceChildren(...marks.map(({ fraction }) => atFraction(h('i'), fraction)));
  }

  function draw() {
    isScheduled = false;
    if (state === null) {
      return;
    }
    const scrollbar = `${rowsView.offsetWidth - rowsView.clientWidth}px`;
    ruler.style.paddingRight = scrollbar;
    lines.style.right = scrollbar;
    const { rows, collapsed, range, matches } = state;
    const look = [collapsed, range, matches];
    if (look.some((part, i) => part !== drawn[i])) {
      sync([]); // the rows look different: none is kept
      drawn = look;
    }
    window_ = rowWindow(sizeNow(), rowsView.scrollTop);
    inner.style.height = `${window_.scrollHeight}px`;
    sync(Array.from({ length: window_.last - window_.first }, (_, i) => window_.first + i));
    const hasCursor = rows.length > 0 && state.cursor >= 0;
    rowsView.setAttribute('aria-activedescendant', hasCursor ? `row-${state.cursor}` : '');
    drawRuler();
  }

  function schedule() {
    if (!isScheduled) {
      isScheduled = true;
      requestAnimationFrame(draw);
    }
  }

  const observer = new ResizeObserver(schedule);
  observer.observe(rowsView);
  return {
    /** @param {TimelineState} next */
    setState(next) {
      state = next;
      schedule();
    },
    /** Brings a node onto the screen. @param {number} index */
    reveal(index) {
      const { rows } = /** @type {TimelineState} */ (state);
      inner.style.height = `${rowWindow(sizeNow(), 0).scrollHeight}px`;
      rowsView.scrollTop = scrollToRow(sizeNow(), rowsView.scrollTop, rowOf(rows, index));
    },
    focus: () => rowsView.focus({ preventScroll: true }),
    pageRows: () => Math.max(1, Math.floor(rowsView.clientHeight / ROW_HEIGHT) - 1),
    unmount: () => observer.disconnect(),
  };
}
