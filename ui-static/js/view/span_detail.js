/* span_detail.js - the panel with all of one span: every level of attributes, typed and whole. */
import { copyButton, counted, h, icon, iconButton, paint } from './dom.js';
import { readValue } from '../model/otlp.js';
import { formatDuration, formatLocal, parseNanos } from '../model/time.js';
import { nodeWarnings } from '../model/warnings.js';

/** Longer values are shown up to here until they are asked for. */
const VALUE_SHOWN_MAX = 600;

/** @param {KeyValue} attribute */
function attributeRow({ key, value }) {
  const { type, text } = readValue(value);
  const cell = h('td', { class: 'value' }, text.slice(0, VALUE_SHOWN_MAX));
  if (text.length > VALUE_SHOWN_MAX) {
    cell.append('…', h('button',
      { type: 'button', class: 'more', click: () => cell.replaceChildren(text) },
      `Show all ${text.length.toLocaleString('en')} characters`));
  }
  return h('tr', {}, h('th', { scope: 'row' }, key), cell, h('td', { class: 'type' }, type),
    h('td', { class: 'copy' }, copyButton(text, `Copy the value of ${key}`)));
}

/** @param {KeyValue[]} [attributes] */
function attributeTable(attributes = []) {
  return attributes.length === 0 ? null
    : h('table', { class: 'attributes' }, h('tbody', {}, ...attributes.map(attributeRow)));
}

/** @param {number | undefined} count @param {string} what */
function droppedNote(count, what) {
  return !count ? null : h('p', { class: 'section-note is-dropped' },
    `${counted(count, what)} more ${count === 1 ? 'was' : 'were'} dropped by the sender.`);
}

/**
 * @param {string} title
 * @param {string} note
 * @param {boolean} isOpen
 * @param {...(Node | null)} children
 */
function section(title, note, isOpen, ...children) {
  return h('details', { class: 'section', open: isOpen },
    h('summary', {}, title, ' ', h('span', { class: 'muted' }, note)), ...children);
}

/**
 * One level: its attributes, and what stands beside them.
 * @param {string} title
 * @param {boolean} isOpen
 * @param {KeyValue[] | undefined} attributes
 * @param {number | undefined} dropped
 * @param {string[]} [notes]
 */
function attributeSection(title, isOpen, attributes, dropped, notes = []) {
  return section(title, String(attributes?.length ?? 0), isOpen,
    ...notes.filter((note) => note !== '').map((note) => h('p', { class: 'section-note' }, note)),
    attributeTable(attributes), droppedNote(dropped, 'attribute'));
}

/** @param {RawEvent} event @param {Trace} trace @param {SpanNode} node */
function eventItem(event, trace, node) {
  const time = parseNanos(event.timeUnixNano);
  const since = Number(time - trace.start) - node.start;
  return section(event.name || 'event', time === 0n ? 'no time' : `+${formatDuration(since)}`, true,
    attributeTable(event.attributes), droppedNote(event.droppedAttributesCount, 'attribute'));
}

/** @param {RawLink} link */
function linkItem(link) {
  const { traceId = '', spanId = '', traceState = '' } = link;
  return section('to', `${traceId.slice(0, 8)}… ${spanId}`, true,
    h('p', { class: 'section-note' },
      h('a', { href: `/trace/${traceId}?span=${spanId}`, class: 'mono' }, `${traceId} ${spanId}`),
      traceState === '' ? '' : ` trace state ${traceState}`),
    attributeTable(link.attributes), droppedNote(link.droppedAttributesCount, 'attribute'));
}

/** @param {[string, string | Node, string?][]} facts name, value, text to copy */
function factList(facts) {
  return h('dl', { class: 'detail-facts' }, ...facts.filter(([, value]) => value !== '').flatMap(
    ([name, value, copied]) => [h('dt', {}, name),
      h('dd', { class: copied === undefined ? '' : 'mono' }, value,
        copied === undefined ? null : copyButton(copied, `Copy the ${name.toLowerCase()}`))]));
}

/** @param {SpanNode} node @param {Span} span */
function spanFacts(node, span) {
  const { raw } = span;
  const status = h('span', {}, span.status, raw.status?.message ? `: ${raw.status.message}` : '');
  return factList([
    ['Start', `+${formatDuration(node.start)}`],
    ['', span.start === 0n ? '' : formatLocal(span.start)],
    ['Duration', node.hasNoTime ? 'not known' : formatDuration(node.duration)],
    ['Status', span.status === 'error' ? h('b', { class: 'error-text' }, status) : status],
    ['Kind', span.kind],
    ['Span id', span.id, span.id],
    ['Parent id', span.parentId, span.parentId],
    ['Trace id', span.traceId, span.traceId],
    ['Trace state', raw.traceState ?? '', raw.traceState],
    ['Flags', raw.flags === undefined ? '' : `0x${raw.flags.toString(16)}`],
  ]);
}

/**
 * @param {HTMLElement} parent
 * @param {Trace} trace
 * @param {{colorOf: ColorOf, close: () => void}} context
 */
export function mountSpanDetail(parent, trace, { colorOf, close }) {
  const view = h('aside', { class: 'detail', 'aria-label': 'Span', hidden: true });
  parent.append(view);

  /** @param {SpanNode} node @param {Span} span */
  function body(node, span) {
    const { raw, resource, scope } = span;
    const { events = [], links = [] } = raw;
    return [
      spanFacts(node, span),
      attributeSection('Attributes', true, raw.attributes, raw.droppedAttributesCount),
      section('Events', String(events.length), events.length > 0,
        ...events.map((event) => eventItem(event, trace, node)),
        droppedNote(raw.droppedEventsCount, 'event')),
      section('Links', String(links.length), links.length > 0, ...links.map(linkItem),
        droppedNote(raw.droppedLinksCount, 'link')),
      attributeSection('Resource', false, resource.attributes, resource.dropped,
        [resource.schemaUrl && `Schema ${resource.schemaUrl}`]),
      attributeSection('Scope', false, scope.attributes, scope.dropped,
        [`${scope.name || 'no name'} ${scope.version}`,
          scope.schemaUrl && `Schema ${scope.schemaUrl}`]),
    ];
  }

  return {
    /** @param {SpanNode | null} node null closes it */
    show(node) {
      view.hidden = node === null;
      if (node === null) {
        return;
      }
      const { span, id } = node;
      view.replaceChildren(
        h('div', { class: 'detail-head' },
          h('div', { class: 'detail-title' },
            span === null ? null
              : h('p', {}, paint(h('span', { class: 'dot' }), colorOf(span.service)), span.service),
            h('h2', {}, span === null ? 'Missing span' : span.name || 'no name')),
          span === null ? null
            : copyButton(JSON.stringify(span.raw, null, 2), 'Copy the span as JSON'),
          iconButton('close', 'Close (Esc)', close)),
        h('div', { class: 'detail-body', tabindex: 0 },
          ...nodeWarnings(node, trace).map((text) =>
            h('p', { class: 'banner' }, icon('warning'), text)),
          ...(span === null ? [factList([['Span id', id, id]])] : body(node, span))));
    },
  };
}
