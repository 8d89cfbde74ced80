/*
 * search_params.js - the search: its URL, its form fields, and the query it asks of the server.
 *
 * The URL is the state. A field that stands at its default is left out of it.
 */
import { parseDuration, toRfc3339 } from './time.js';
import { parseTags } from './logfmt.js';

/** @type {Readonly<Search>} */
export const DEFAULTS = Object.freeze({
  service: '',
  operation: '',
  tags: '',
  minDuration: '',
  maxDuration: '',
  lookback: '1h',
  start: '',
  end: '',
  sort: 'newest',
  limit: '20',
});

/** Name and length in nanoseconds. */
export const LOOKBACKS = new Map([
  ['5m', 5], ['15m', 15], ['1h', 60], ['3h', 180], ['6h', 360], ['12h', 720], ['24h', 1440],
  ['2d', 2880], ['7d', 10080],
].map(([name, minutes]) => [String(name), BigInt(minutes) * 60_000_000_000n]));

export const LIMIT_MAX = 1500;

/** "All time" ends where a signed 64-bit count of nanoseconds does, so that no span is later. */
const TIME_MAX = 2n ** 63n - 1n;

const FIELDS = /** @type {(keyof Search)[]} */ (Object.keys(DEFAULTS));

/**
 * @param {URLSearchParams} params
 * @returns {Search}
 */
export function readSearch(params) {
  const search = { ...DEFAULTS };
  for (const field of FIELDS) {
    search[field] = params.get(field) ?? DEFAULTS[field];
  }
  if (!LOOKBACKS.has(search.lookback) && search.lookback !== 'all') {
    search.lookback = search.lookback === 'custom' ? 'custom' : DEFAULTS.lookback;
  }
  search.sort = search.sort === 'slowest' ? 'slowest' : 'newest';
  return search;
}

/**
 * @param {Search} search
 * @returns {string} "/search?…"
 */
export function searchUrl(search) {
  const params = new URLSearchParams();
  for (const field of FIELDS) {
    const isUsed = search.lookback === 'custom' || (field !== 'start' && field !== 'end');
    if (isUsed && search[field] !== DEFAULTS[field]) {
      params.set(field, search[field]);
    }
  }
  const query = params.toString();
  return query === '' ? '/search' : `/search?${query}`;
}

/**
 * @param {string} text
 * @returns {bigint | null}
 */
function parseTime(text) {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1000000n;
}

/**
 * @param {Search} search
 * @param {bigint} now
 * @param {Problems} problems
 * @returns {TimeRange}
 */
function timeRange(search, now, problems) {
  const length = LOOKBACKS.get(search.lookback);
  if (length !== undefined) {
    return { from: now - length, to: now, isAll: false };
  }
  if (search.lookback === 'all') {
    return { from: 0n, to: TIME_MAX, isAll: true };
  }
  const from = search.start === '' ? 0n : parseTime(search.start);
  const to = search.end === '' ? now : parseTime(search.end);
  if (from === null) {
    problems.set('start', 'This is not a date and time.');
  }
  if (to === null) {
    problems.set('end', 'This is not a date and time.');
  }
  if (from !== null && to !== null && from >= to) {
    problems.set('end', 'The end has to be after the start.');
  }
  return { from: from ?? 0n, to: to ?? now, isAll: false };
}

/**
 * @param {Search} search
 * @param {Problems} problems
 * @param {Record<string, string>} query
 */
function durationBounds(search, problems, query) {
  const bounds = /** @type {const} */ ([
    ['minDuration', 'query.durationMin'], ['maxDuration', 'query.durationMax'],
  ]);
  for (const [field, name] of bounds) {
    const text = search[field].trim();
    if (text === '') {
      continue;
    }
    const ns = parseDuration(text);
    if (ns === null) {
      problems.set(field, 'Write a number and a unit: 250us, 100ms, 1.5s, 1h30m.');
    } else {
      query[name] = `${ns}ns`;
    }
  }
  const [min, max] = bounds.map(([, name]) => query[name]?.slice(0, -2));
  if (min !== undefined && max !== undefined && BigInt(min) > BigInt(max)) {
    problems.set('maxDuration', 'This is less than the least duration.');
  }
}

/**
 * What to ask the server, or what is wrong with the form.
 * @param {Search} search
 * @param {bigint} now
 * @returns {{ok: true, query: Record<string, string>, range: TimeRange}
 *   | {ok: false, problems: Problems}}
 */
export function searchQuery(search, now) {
  /** @type {Problems} */
  const problems = new Map();
  /** @type {Record<string, string>} */
  const query = {};
  if (search.service !== '') {
    query['query.serviceName'] = search.service;
  }
  if (search.operation !== '') {
    query['query.operationName'] = search.operation;
  }
  const tags = parseTags(search.tags);
  if (!tags.ok) {
    problems.set('tags', tags.message);
  } else if (Object.keys(tags.tags).length > 0) {
    query['query.attributes'] = JSON.stringify(tags.tags);
  }
  durationBounds(search, problems, query);
  const range = timeRange(search, now, problems);
  query['query.startTimeMin'] = toRfc3339(range.from);
  query['query.startTimeMax'] = toRfc3339(range.to);
  const limit = Number(search.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    problems.set('limit', `A whole number from 1 to ${LIMIT_MAX}.`);
  }
  query['query.searchDepth'] = String(limit);
  query['query.sort'] = search.sort;
  return problems.size > 0 ? { ok: false, problems } : { ok: true, query, range };
}

/**
 * Reads what was pasted into the trace id box: 32 hex digits, 16 (the older, shorter ids), or a
 * W3C traceparent, which names a span as well.
 * @param {string} text
 * @returns {string | null} the page to go to
 */
export function traceUrl(text) {
  const input = text.trim().toLowerCase();
  const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(input);
  if (traceparent !== null) {
    return `/trace/${traceparent[1]}?span=${traceparent[2]}`;
  }
  if (/^([0-9a-f]{16}){1,2}$/.test(input) && !/^0+$/.test(input)) {
    return `/trace/${input.padStart(32, '0')}`;
  }
  return null;
}
