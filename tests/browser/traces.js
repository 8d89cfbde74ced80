/*
 * traces.js - the traces that the browser test sends: OTLP JSON, as an SDK would.
 */

const MS = 1_000_000n;

/** @param {number} number */
const spanId = (number) => number.toString(16).padStart(16, '0');

/** @param {Record<string, string | number | boolean>} values */
function attributes(values) {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : typeof value === 'boolean'
          ? { boolValue: value }
          : Number.isInteger(value)
            ? { intValue: String(value) }
            : { doubleValue: value },
  }));
}

/** One ExportTraceServiceRequest of spans with their services, a resource each. */
function request(spans) {
  const services = [...new Set(spans.map((span) => span.service))];
  return {
    resourceSpans: services.map((service) => ({
      resource: {
        attributes: attributes({
          'service.name': service,
          'service.version': '1.4.2',
          'host.name': `${service}-0`,
        }),
      },
      scopeSpans: [
        {
          scope: {
            name: 'demo.instrumentation',
            version: '0.9.1',
            attributes: attributes({ 'scope.tier': 'test' }),
          },
          spans: spans
            .filter((span) => span.service === service)
            .map(({ service: _, ...span }) => span),
        },
      ],
    })),
  };
}

/**
 * A checkout of 9 spans over 5 services: one error with an exception event, all five attribute
 * levels, one span whose parent is missing, one that starts before its parent. It lasts 182.5 ms.
 * @param {bigint} now
 */
export function checkoutTrace(now) {
  const traceId = '7a3f00000000000000000000000c4e01';
  const start = now - 60_000n * MS;
  /** @param {number} id @param {number | null} parent @param {string} service @param {string} name
   *  @param {number} at ms @param {number} length ms @param {object} more */
  const span = (id, parent, service, name, at, length, more = {}) => ({
    service,
    traceId,
    spanId: spanId(id),
    parentSpanId: parent === null ? '' : spanId(parent),
    name,
    kind: 1,
    startTimeUnixNano: String(start + BigInt(Math.round(at * 1e6))),
    endTimeUnixNano: String(start + BigInt(Math.round((at + length) * 1e6))),
    ...more,
  });
  const paymentStart = start + 92n * MS;
  return {
    traceId,
    request: request([
      span(1, null, 'frontend', 'POST /checkout', 0, 182.5, {
        kind: 2,
        traceState: 'vendor=abc',
        flags: 1,
        attributes: attributes({
          'http.method': 'POST',
          'http.status_code': 500,
          'http.route': '/checkout',
        }),
      }),
      span(2, 1, 'frontend', 'validate session', 2, 6.25),
      span(3, 1, 'cart', 'GetCart', 10, 48, {
        kind: 2,
        attributes: attributes({ 'cart.items': 3, 'cart.cached': false }),
      }),
      span(4, 3, 'redis', 'HGETALL cart', 14, 30.4, {
        kind: 3,
        attributes: attributes({ 'db.system': 'redis', 'db.statement': 'HGETALL cart:81c2' }),
      }),
      span(5, 1, 'payment', 'Charge', 64, 104, {
        kind: 2,
        status: { code: 2, message: 'card refused by issuer' },
        attributes: [
          ...attributes({
            'payment.amount': 42.5,
            'payment.currency': 'EUR',
            error: true,
            'payment.order': 9007199254740993,
          }),
          {
            key: 'payment.tries',
            value: { arrayValue: { values: [{ intValue: '1' }, { intValue: '2' }] } },
          },
          { key: 'payment.raw', value: { bytesValue: '3q2+7w==' } },
          {
            key: 'payment.card',
            value: { kvlistValue: { values: [{ key: 'brand', value: { stringValue: 'visa' } }] } },
          },
          {
            key: 'payment.note',
            value: { stringValue: '<img src=x onerror=alert(1)> ' + 'long '.repeat(200) },
          },
        ].map((one) =>
          one.key === 'payment.order'
            ? { key: one.key, value: { intValue: '9007199254740993' } }
            : one,
        ),
        droppedAttributesCount: 2,
        events: [
          {
            name: 'retry',
            timeUnixNano: String(paymentStart),
            attributes: attributes({ attempt: 2 }),
          },
          {
            name: 'exception',
            timeUnixNano: String(paymentStart + 40n * MS),
            droppedAttributesCount: 1,
            attributes: attributes({
              'exception.type': 'CardRefused',
              'exception.message': 'issuer said no',
            }),
          },
        ],
        droppedEventsCount: 1,
        links: [
          {
            traceId: '7a3f00000000000000000000000c4e02',
            spanId: spanId(99),
            attributes: attributes({ 'link.kind': 'retry of' }),
          },
        ],
      }),
      span(6, 5, 'payment', 'sign request', 66, 9),
      span(7, 5, 'bank', 'POST /authorize', 62.5, 70, { kind: 2 }), // its clock is behind
      span(8, 1, 'frontend', 'render error page', 170, 11.9),
      span(9, 777, 'mail', 'send receipt', 176, 4.75, { kind: 5 }),
    ]),
  };
}

/**
 * A small trace without an error, to have something else in the list.
 * @param {bigint} now
 * @param {number} number
 */
export function smallTrace(now, number) {
  const traceId = `7a3f00000000000000000000000d${spanId(number).slice(-4)}`;
  const start = now - BigInt(2 + number) * 60_000n * MS;
  const length = BigInt(3 + ((number * 37) % 90)) * MS;
  const one = (id, parent, service, name, at, end) => ({
    service,
    traceId,
    spanId: spanId(id),
    parentSpanId: parent === 0 ? '' : spanId(parent),
    name,
    kind: 2,
    startTimeUnixNano: String(start + at),
    endTimeUnixNano: String(start + end),
  });
  return {
    traceId,
    request: request([
      one(1, 0, 'frontend', number % 3 === 0 ? 'GET /product/{id}' : 'GET /', 0n, length),
      one(2, 1, 'catalog', 'ListProducts', MS, length - MS),
    ]),
  };
}

/**
 * A trace of many spans, in chunks that a receiver takes at once.
 * @param {bigint} now
 * @param {number} spanCount
 */
export function wideTrace(now, spanCount) {
  const traceId = '7a3f00000000000000000000000e0001';
  const start = now - 120_000n * MS;
  const spans = Array.from({ length: spanCount }, (_, i) => ({
    service: `worker-${i % 12}`,
    traceId,
    spanId: spanId(i + 1),
    parentSpanId: i === 0 ? '' : spanId(Math.floor((i - 1) / 20) + 1),
    name: `step ${i}`,
    kind: 1,
    startTimeUnixNano: String(start + BigInt(i) * 100_000n),
    endTimeUnixNano: String(start + BigInt(i === 0 ? spanCount : i + 30 + (i % 50)) * 100_000n),
    attributes: attributes({ step: i }),
  }));
  const requests = [];
  for (let i = 0; i < spans.length; i += 2000) {
    requests.push(request(spans.slice(i, i + 2000)));
  }
  return { traceId, requests };
}
