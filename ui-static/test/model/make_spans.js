/*
 * make_spans.js - traces for the tests, written as short as "id parent start duration".
 */
import { parseOtlp } from '../../js/model/otlp.js';

/** An ordinary time of today's size: past 2^53 nanoseconds. */
export const EPOCH = 1700000000000000000n;

/** @param {string | number} id */
export function spanId(id) {
  return String(id).padStart(16, '0');
}

/**
 * @typedef {object} Short
 * @property {string | number} id
 * @property {string | number} [parent]
 * @property {number} [at] nanoseconds behind EPOCH
 * @property {number} [for] nanoseconds
 * @property {string} [service]
 * @property {Record<string, any>} [raw] further fields of the OTLP span
 */

/**
 * @param {Short[]} shorts
 * @returns {Span[]}
 */
export function makeSpans(shorts) {
  const resourceSpans = shorts.map((short) => ({
    resource: {
      attributes: [{ key: 'service.name', value: { stringValue: short.service ?? 'shop' } }],
    },
    scopeSpans: [
      {
        spans: [
          {
            traceId: '0123456789abcdef0123456789abcdef',
            spanId: spanId(short.id),
            parentSpanId: short.parent === undefined ? '' : spanId(short.parent),
            name: `op-${short.id}`,
            startTimeUnixNano: String(EPOCH + BigInt(short.at ?? 0)),
            endTimeUnixNano: String(EPOCH + BigInt(short.at ?? 0) + BigInt(short.for ?? 0)),
            ...short.raw,
          },
        ],
      },
    ],
  }));
  return parseOtlp(JSON.stringify({ resourceSpans }));
}
