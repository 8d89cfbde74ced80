/*
 * find.js - the find box of the trace page.
 *
 * Words are separated by blanks and all have to be found; "quoted words" are one; -word must not be
 * there. A word is looked for, without regard to case, in the service, the operation, the kind, the
 * ids, the status message, event names, and in every attribute written as key=value, so that
 * http.status_code=500 finds just that.
 */
import { readValue } from './otlp.js';

/**
 * @param {string} query
 * @returns {Term[]}
 */
export function parseFind(query) {
  const terms = [];
  for (const match of query.matchAll(/(-?)(?:"([^"]*)"?|(\S+))/g)) {
    const text = (match[2] ?? match[3]).toLowerCase();
    if (text !== '') {
      terms.push({ text, isExcluded: match[1] === '-' });
    }
  }
  return terms;
}

/** @param {KeyValue[] | undefined} attributes @param {string[]} out */
function appendAttributes(attributes, out) {
  for (const attribute of attributes ?? []) {
    out.push(`${attribute.key}=${readValue(attribute.value).text}`);
  }
}

/**
 * Everything that is searched of a span, in lower case, a field a line.
 * @param {Span} span
 */
function searchedText(span) {
  const { raw } = span;
  const out = [span.service, span.name, span.kind, span.id, raw.status?.message ?? '',
    `status=${span.status}`];
  appendAttributes(raw.attributes, out);
  appendAttributes(span.resource.attributes, out);
  appendAttributes(span.scope.attributes, out);
  out.push(span.scope.name);
  for (const event of raw.events ?? []) {
    out.push(event.name ?? '');
    appendAttributes(event.attributes, out);
  }
  for (const link of raw.links ?? []) {
    out.push(link.traceId ?? '', link.spanId ?? '');
    appendAttributes(link.attributes, out);
  }
  return out.join('\n').toLowerCase();
}

/**
 * @param {Term[]} terms
 * @param {Span} span
 */
export function matches(terms, span) {
  const text = searchedText(span);
  return terms.every((term) => text.includes(term.text) !== term.isExcluded);
}
