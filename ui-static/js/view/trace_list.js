/* trace_list.js - the traces found, or those of a file: a heading and one link a trace. */
import { counted, h, icon, notice, paint, serviceChip } from './dom.js';
import { formatAgo, formatDuration, formatLocal, formatUtc } from '../model/time.js';
import { makeServiceColors } from '../model/service_colors.js';

/** Of a trace with more services, the rest is a number. */
const CHIPS_MAX = 8;

/**
 * @param {Summary} summary
 * @param {{href: string, slowest: number, now: bigint, colorOf: ColorOf}} context
 */
function traceItem(summary, { href, slowest, now, colorOf }) {
  const { service, operation, services, errorCount, orphanCount } = summary;
  const fill = h('i');
  fill.style.width = `${slowest > 0 ? (summary.duration / slowest) * 100 : 0}%`;
  const chips = services.slice(0, CHIPS_MAX).map((one) =>
    serviceChip('span', one, colorOf(one.name)));
  return h('li', { class: 'trace', 'data-trace-id': summary.traceId },
    h('a', { href },
      h('span', { class: 'trace-name' },
        paint(h('span', { class: 'dot' }), colorOf(service)),
        h('b', {}, service),
        h('span', { class: 'trace-operation' }, operation || 'no name'),
        orphanCount === 0 ? null : h('span', {
          class: 'badge', title: `Spans whose parent was not received: ${orphanCount}`,
        }, icon('warning'), 'incomplete trace')),
      h('span', { class: 'trace-count muted' }, counted(summary.spanCount, 'span')),
      h('span', { class: 'trace-count error-text' },
        errorCount > 0 ? counted(errorCount, 'error') : ''),
      h('span', { class: 'trace-duration' }, h('span', { class: 'meter' }, fill),
        formatDuration(summary.duration)),
      h('span', { class: 'trace-services' }, ...chips,
        services.length <= CHIPS_MAX ? null
          : h('span', { class: 'muted' }, `+${services.length - CHIPS_MAX}`)),
      h('span', { class: 'trace-when', title: `${formatUtc(summary.start)} UTC` },
        `${formatLocal(summary.start).slice(0, 23)} · ${formatAgo(summary.start, now)}`)));
}

/** @param {HTMLElement} parent */
export function mountTraceList(parent) {
  const view = h('main', { class: 'results' });
  parent.append(view);
  return {
    setBusy() {
      view.setAttribute('aria-busy', 'true');
      if (view.querySelector('.traces') === null) {
        view.replaceChildren(notice('loading', 'Searching…'));
      }
    },
    /** @param {string} title @param {string} message */
    setError(title, message) {
      view.removeAttribute('aria-busy');
      view.replaceChildren(notice('error', title, message));
    },
    /** @param {Results} results */
    setResults({ title, range, summaries, incomplete, hrefOf, now }) {
      const slowest = summaries.reduce((max, { duration }) => Math.max(max, duration), 0);
      const colorOf = makeServiceColors();
      const items = summaries.map((summary) =>
        traceItem(summary, { href: hrefOf(summary.traceId), slowest, now, colorOf }));
      const isEmpty = summaries.length === 0;
      view.removeAttribute('aria-busy');
      view.replaceChildren(
        h('div', { class: 'results-head' },
          h('h1', { role: 'status' }, title), h('p', { class: 'muted' }, range)),
        incomplete === '' ? '' : h('p', { class: 'banner', role: 'status' }, icon('warning'),
          `Not everything was searched, so traces may be missing here: ${incomplete}`),
        isEmpty ? notice('empty', 'No trace matches', `Searched: ${range}.`,
          'Try a longer time range or fewer conditions.') : h('ul', { class: 'traces' }, ...items));
      view.scrollTop = 0;
    },
  };
}
