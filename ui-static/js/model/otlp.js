/*
 * otlp.js - OTLP JSON in, flat spans out.
 *
 * The nested lists (resource > scope > span) become one list; attributes, events and links stay as
 * they came in `raw` until someone looks at them. Takes the three wrappers in use: the server's
 * {"result": {"resourceSpans": []}}, a file's {"resourceSpans": []}, and one of either a line.
 */
import { parseNanos } from './time.js';

/** The file or answer is not OTLP JSON; the message says what was expected where. */
export class OtlpError extends Error {}

/** The name that the server shows in place of an absent one. */
const NO_SERVICE = 'OTLPResourceNoServiceName';

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUSES = /** @type {const} */ (['unset', 'ok', 'error']);

/**
 * 64-bit numbers that a writer left unquoted: JSON.parse would round them. The quote before the
 * name cannot be one inside a string: that would have a backslash between name and colon.
 */
const LONG_NUMBER =
  /"(startTimeUnixNano|endTimeUnixNano|timeUnixNano|intValue)"(\s*:\s*)(-?\d{16,20})(?=[\s,}])/g;

/** @param {string} text */
function parseJson(text) {
  return JSON.parse(text.replace(LONG_NUMBER, '"$1"$2"$3"'));
}

/**
 * One JSON document, or one a line.
 * @param {string} text
 * @returns {unknown[]}
 */
function parseDocuments(text) {
  try {
    return [parseJson(text)];
  } catch (whole) {
    return text.split('\n').filter((line) => line.trim() !== '').map((line, index) => {
      try {
        return parseJson(line);
      } catch (error) {
        // When not even the first line is a document, it was not meant to be read by lines.
        throw new OtlpError(index === 0 ? `Not JSON: ${whole}` : `Line ${index + 1}: ${error}`);
      }
    });
  }
}

/**
 * @param {string} text
 * @returns {Span[]}
 */
export function parseOtlp(text) {
  /** @type {Span[]} */
  const spans = [];
  for (const document of parseDocuments(text)) {
    appendSpans(document, spans);
  }
  return spans;
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value.filter((item) => item && typeof item === 'object') : [];
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' ? value : '';
}

/** @param {unknown} value */
function count(value) {
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** @param {any} document @param {Span[]} spans */
function appendSpans(document, spans) {
  const body = document?.result ?? document;
  if (!Array.isArray(body?.resourceSpans)) {
    if (Array.isArray(document?.data)) {
      throw new OtlpError('This is Jaeger’s JSON. Only OTLP JSON is read.');
    }
    throw new OtlpError('This is not OTLP JSON: it has no list “resourceSpans”.');
  }
  for (const ofResource of list(body.resourceSpans)) {
    const attributes = list(ofResource.resource?.attributes);
    const named = attributes.find((attribute) => attribute.key === 'service.name');
    /** @type {Resource} */
    const resource = {
      service: text(named?.value?.stringValue) || NO_SERVICE,
      attributes,
      dropped: count(ofResource.resource?.droppedAttributesCount),
      schemaUrl: text(ofResource.schemaUrl),
    };
    for (const ofScope of list(ofResource.scopeSpans)) {
      /** @type {Scope} */
      const scope = {
        name: text(ofScope.scope?.name),
        version: text(ofScope.scope?.version),
        attributes: list(ofScope.scope?.attributes),
        dropped: count(ofScope.scope?.droppedAttributesCount),
        schemaUrl: text(ofScope.schemaUrl),
      };
      for (const raw of list(ofScope.spans)) {
        spans.push(flatten(raw, resource, scope));
      }
    }
  }
}

/**
 * @param {RawSpan} raw
 * @param {Resource} resource
 * @param {Scope} scope
 * @returns {Span}
 */
function flatten(raw, resource, scope) {
  return {
    traceId: text(raw.traceId).toLowerCase(),
    id: text(raw.spanId).toLowerCase(),
    parentId: text(raw.parentSpanId).toLowerCase().replace(/^0+$/, ''),
    name: text(raw.name),
    service: resource.service,
    kind: kindName(raw.kind),
    status: statusName(raw.status?.code),
    start: parseNanos(raw.startTimeUnixNano),
    end: parseNanos(raw.endTimeUnixNano),
    resource,
    scope,
    raw,
  };
}

/** @param {number | string | undefined} kind */
function kindName(kind) {
  if (typeof kind === 'string') {
    return kind.replace(/^SPAN_KIND_/, '').toLowerCase();
  }
  return KINDS[kind ?? 0] ?? String(kind);
}

/** @param {number | string | undefined} code @returns {'unset' | 'ok' | 'error'} */
function statusName(code) {
  const name = typeof code === 'string' ? code.replace(/^STATUS_CODE_/, '').toLowerCase()
    : STATUSES[code ?? 0];
  return STATUSES.find((status) => status === name) ?? 'unset';
}

/** Values nested deeper than this are cut: no such span is meant for reading. */
const DEPTH_MAX = 100;

/**
 * An attribute value for reading: its type in OTLP's words, and its text. Arrays and maps are
 * written as JSON whose integers keep all digits and whose keys keep their order and repetitions.
 * @param {Record<string, any> | undefined} value an AnyValue
 * @returns {{type: string, text: string}}
 */
export function readValue(value) {
  const field = Object.keys(value ?? {})[0] ?? '';
  const content = value?.[field];
  switch (field) {
    case 'stringValue':
    case 'boolValue':
    case 'intValue':
    case 'doubleValue':
    case 'bytesValue':
      return { type: field.slice(0, -'Value'.length), text: String(content) };
    case 'arrayValue':
      return { type: 'array', text: nestedText(value, 0) };
    case 'kvlistValue':
      return { type: 'map', text: nestedText(value, 0) };
    default:
      return { type: 'empty', text: '' };
  }
}

/**
 * @param {any} value
 * @param {number} depth
 * @returns {string}
 */
function nestedText(value, depth) {
  if (depth > DEPTH_MAX) {
    return '…';
  }
  if (value?.arrayValue) {
    const items = list(value.arrayValue.values).map((item) => nestedText(item, depth + 1));
    return `[${items.join(', ')}]`;
  }
  if (value?.kvlistValue) {
    const pairs = list(value.kvlistValue.values).map(
      (pair) => `${JSON.stringify(text(pair.key))}: ${nestedText(pair.value, depth + 1)}`);
    return `{${pairs.join(', ')}}`;
  }
  const leaf = readValue(value);
  return leaf.type === 'string' || leaf.type === 'bytes' ? JSON.stringify(leaf.text)
    : leaf.text || 'null';
}
