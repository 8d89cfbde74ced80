/*
 * time.js - times and durations: read, kept and shown without losing a nanosecond.
 *
 * A point in time is a BigInt of nanoseconds since the Unix epoch: today's is past 2^53, where a
 * Number can no longer tell neighbours apart. Inside a trace a time is a Number of nanoseconds from
 * the trace's start, which is exact for traces of up to 104 days.
 */

/** Nanoseconds a unit, as Go writes units. */
const UNIT_NS = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['µs', 1000n], // U+00B5, the micro sign
  ['μs', 1000n], // U+03BC, the Greek letter, which Go takes as well
  ['ms', 1000000n],
  ['s', 1000000000n],
  ['m', 60000000000n],
  ['h', 3600000000000n],
]);

const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * Reads a time of OTLP JSON: decimal text, or a number from a lax writer. Absent and unreadable
 * times are 0, which OTLP uses for "not set".
 * @param {unknown} value
 * @returns {bigint}
 */
export function parseNanos(value) {
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) {
    return BigInt(value);
  }
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) {
    return BigInt(value);
  }
  return 0n;
}

/**
 * Reads "100ms", "1.5s", "1h30m".
 * @param {string} text
 * @returns {bigint | null} nanoseconds; null when it is not a duration
 */
export function parseDuration(text) {
  const input = text.trim();
  let total = 0n;
  DURATION_PART.lastIndex = 0;
  if (input === '') {
    return null;
  }
  while (DURATION_PART.lastIndex < input.length) {
    const part = DURATION_PART.exec(input);
    if (part === null) {
      return null;
    }
    const unit = /** @type {bigint} */ (UNIT_NS.get(part[2]));
    const [whole, fraction = ''] = part[1].split('.');
    total += BigInt(whole || '0') * unit;
    total += (BigInt(fraction || '0') * unit) / 10n ** BigInt(fraction.length);
  }
  return total;
}

/** @param {number} value */
function short(value) {
  return Number(value.toFixed(value >= 100 ? 1 : 2));
}

/**
 * A duration for reading: three to four digits and a unit; from a minute on, two units.
 * @param {number} ns
 * @returns {string}
 */
export function formatDuration(ns) {
  if (ns < 0) {
    return '-' + formatDuration(-ns);
  }
  if (ns < 1000) {
    return `${Math.round(ns)}ns`;
  }
  for (const [unit, size, end] of /** @type {const} */ ([
    ['µs', 1e3, 1000],
    ['ms', 1e6, 1000],
    ['s', 1e9, 60],
  ])) {
    const value = short(ns / size);
    if (value < end) {
      return `${value}${unit}`;
    }
  }
  const seconds = Math.round(ns / 1e9);
  const minutes = Math.round(ns / 60e9);
  if (seconds < 3600) {
    return pair(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  }
  if (minutes < 24 * 60) {
    return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  }
  const hours = Math.round(ns / 3600e9);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * @param {number} big
 * @param {string} bigUnit
 * @param {number} small
 * @param {string} smallUnit
 */
function pair(big, bigUnit, small, smallUnit) {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit} ${small}${smallUnit}`;
}

/**
 * The digits behind the second, in whole groups of three and without groups of zeros at the end.
 * @param {bigint} unixNs
 */
function fraction(unixNs) {
  const digits = String(unixNs % 1000000000n).padStart(9, '0');
  return digits.endsWith('000000') ? digits.slice(0, 3)
    : digits.endsWith('000') ? digits.slice(0, 6)
      : digits;
}

/** "2023-11-14T22:13:20" in UTC. @param {bigint} unixNs */
function wholeSeconds(unixNs) {
  return new Date(Number(unixNs / 1000000n)).toISOString().slice(0, 19);
}

/**
 * "2023-11-14 22:13:20.123" in UTC.
 * @param {bigint} unixNs
 */
export function formatUtc(unixNs) {
  return `${wholeSeconds(unixNs).replace('T', ' ')}.${fraction(unixNs)}`;
}

/**
 * "2023-11-14 22:13:20.123" in the time zone of the reader.
 * @param {bigint} unixNs
 */
export function formatLocal(unixNs) {
  const minutes = new Date(Number(unixNs / 1000000n)).getTimezoneOffset();
  return formatUtc(unixNs - BigInt(minutes) * 60000000000n);
}

/**
 * "2023-11-14T22:13:20.123456789Z", as the query API takes it.
 * @param {bigint} unixNs
 */
export function toRfc3339(unixNs) {
  return `${wholeSeconds(unixNs)}.${String(unixNs % 1000000000n).padStart(9, '0')}Z`;
}

/**
 * "3m ago": how long before `now` a time was, in its largest unit.
 * @param {bigint} unixNs
 * @param {bigint} now
 */
export function formatAgo(unixNs, now) {
  const seconds = Number((now - unixNs) / 1000000000n);
  if (seconds < 0) {
    return 'in the future';
  }
  for (const [unit, size] of /** @type {const} */ ([['d', 86400], ['h', 3600], ['m', 60]])) {
    if (seconds >= size) {
      return `${Math.floor(seconds / size)}${unit} ago`;
    }
  }
  return `${seconds}s ago`;
}
