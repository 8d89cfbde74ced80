/* trace_header.js - what a trace is, in a few lines above its waterfall. */
import { copyButton, h, icon, paint, serviceChip } from './dom.js';
import { formatDuration, formatLocal, formatUtc } from '../model/time.js';
import { headNode } from '../model/trace_tree.js';
import { traceWarnings } from '../model/warnings.js';

/** @param {string} name @param {...(Node | string)} value */
function fact(name, ...value) {
  return h('div', {}, h('dt', {}, name), h('dd', {}, ...value));
}

/**
 * @param {HTMLElement} parent
 * @param {Trace} trace
 * @param {{colorOf: ColorOf, rawHref: string, find: (text: string) => void}} context
 */
export function mountTraceHeader(parent, trace, { colorOf, rawHref, find }) {
  const head = headNode(trace)?.span;
  const service = head?.service ?? '';
  const start = formatLocal(trace.start);
  const utc = formatUtc(trace.start);
  const doubt = traceWarnings(trace).join(' ');
  parent.append(h('header', { class: 'trace-head' },
    h('div', { class: 'trace-title' },
      paint(h('span', { class: 'dot' }), colorOf(service)),
      h('h1', {}, service, h('span', {}, ` ${head?.name ?? ''}`)),
      h('div', { class: 'trace-links' },
        h('span', { class: 'mono muted' }, trace.id),
        copyButton(trace.id, 'Copy the trace id'),
        rawHref === '' ? null
          : h('a', { class: 'button', href: rawHref, target: '_blank' }, 'Raw JSON'))),
    h('dl', { class: 'facts' },
      fact('Start', start, h('small', {}, utc === start ? ' UTC' : ` ${utc} UTC`)),
      fact('Duration', formatDuration(trace.duration)),
      fact('Services', String(trace.services.length)),
      fact('Depth', trace.depth.toLocaleString('en')),
      fact('Spans', trace.spanCount.toLocaleString('en')),
      fact('Errors', h('span', { class: trace.errorCount > 0 ? 'error-text' : '' },
        trace.errorCount.toLocaleString('en')))),
    h('div', { class: 'legend' }, ...trace.services.map((one) =>
      serviceChip('button', one, colorOf(one.name), {
        type: 'button', title: `Find the spans of ${one.name}`,
        click: () => find(`"service.name=${one.name}"`),
      }))),
    doubt === '' ? null : h('p', { class: 'banner' }, icon('warning'), doubt)));
}
