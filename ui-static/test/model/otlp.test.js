import test from 'node:test';
import assert from 'node:assert/strict';
import { OtlpError, parseOtlp, readValue } from '../../js/model/otlp.js';

const SPAN = {
  traceId: 'ABCDEF00000000000000000000000001',
  spanId: '00000000000000AA',
  name: 'GET /',
  kind: 2,
  startTimeUnixNano: '1700000000000000001',
  endTimeUnixNano: '1700000000000000003',
  status: { code: 2, message: 'boom' },
};

/** @param {any} span */
function wrap(span) {
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'web' } }] },
        schemaUrl: 'r',
        scopeSpans: [{ scope: { name: 'lib', version: '1' }, schemaUrl: 's', spans: [span] }],
      },
    ],
  };
}

/** @param {any} span */
function read(span) {
  return parseOtlp(JSON.stringify(wrap(span)))[0];
}

test('a span is read with its resource and its scope', () => {
  const span = read(SPAN);
  assert.equal(span.traceId, 'abcdef00000000000000000000000001');
  assert.equal(span.id, '00000000000000aa');
  assert.equal(span.service, 'web');
  assert.equal(span.kind, 'server');
  assert.equal(span.status, 'error');
  assert.equal(span.start, 1700000000000000001n);
  assert.equal(span.resource.schemaUrl, 'r');
  assert.equal(span.scope.name, 'lib');
});

test('enumerations are read as numbers and as names, and unknown ones are kept', () => {
  assert.equal(read({ ...SPAN, kind: 'SPAN_KIND_CLIENT' }).kind, 'client');
  assert.equal(read({ ...SPAN, kind: undefined }).kind, 'unspecified');
  assert.equal(read({ ...SPAN, kind: 9 }).kind, '9');
  assert.equal(read({ ...SPAN, status: { code: 'STATUS_CODE_OK' } }).status, 'ok');
  assert.equal(read({ ...SPAN, status: undefined }).status, 'unset');
});

test('a parent of only zeros is no parent', () => {
  assert.equal(read({ ...SPAN, parentSpanId: '0000000000000000' }).parentId, '');
});

test('the server’s wrapper and one document a line are read as well', () => {
  assert.equal(parseOtlp(JSON.stringify({ result: wrap(SPAN) })).length, 1);
  const lines = [wrap(SPAN), wrap(SPAN)].map((document) => JSON.stringify(document)).join('\n');
  assert.equal(parseOtlp(lines + '\n').length, 2);
});

test('unquoted 64-bit numbers keep their last digits', () => {
  const [span] = parseOtlp(`{"resourceSpans":[{"scopeSpans":[{"spans":[{
    "startTimeUnixNano": 1700000000000000001, "endTimeUnixNano":1700000000000000003,
    "attributes":[{"key":"n","value":{"intValue":-9223372036854775808}}]}]}]}]}`);
  assert.equal(span.start, 1700000000000000001n);
  assert.equal(readValue(span.raw.attributes?.[0].value).text, '-9223372036854775808');
});

test('text that only looks like a number field stays as it is', () => {
  const text = '{"startTimeUnixNano":1700000000000000001,"x":"\\"}';
  const span = read({ ...SPAN, attributes: [{ key: 'body', value: { stringValue: text } }] });
  assert.equal(readValue(span.raw.attributes?.[0].value).text, text);
});

test('what is not OTLP JSON is refused with a reason', () => {
  assert.throws(() => parseOtlp('nonsense'), { constructor: OtlpError, message: /Not JSON/ });
  assert.throws(() => parseOtlp('{"a":1}'), { constructor: OtlpError, message: /resourceSpans/ });
  assert.throws(() => parseOtlp('{"data":[]}'), { constructor: OtlpError, message: /Jaeger/ });
  assert.throws(() => parseOtlp('{"resourceSpans":[]}\n{oops'), { message: /Line 2/ });
  assert.throws(() => parseOtlp('null'), OtlpError);
  assert.deepEqual(parseOtlp(''), []);
});

test('holes in the lists are passed over', () => {
  assert.deepEqual(
    parseOtlp(
      JSON.stringify({
        resourceSpans: [null, {}, { scopeSpans: [null, { spans: [null, 3] }] }],
      }),
    ),
    [],
  );
  assert.equal(
    parseOtlp('{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}')[0].service,
    'OTLPResourceNoServiceName',
  );
});

test('each type of value is named and shown without loss', () => {
  for (const [value, type, text] of /** @type {[any, string, string][]} */ ([
    [{ stringValue: 'x' }, 'string', 'x'],
    [{ stringValue: '' }, 'string', ''],
    [{ boolValue: false }, 'bool', 'false'],
    [{ intValue: '9223372036854775807' }, 'int', '9223372036854775807'],
    [{ doubleValue: 0.1 }, 'double', '0.1'],
    [{ doubleValue: 'NaN' }, 'double', 'NaN'],
    [{ bytesValue: 'AAE=' }, 'bytes', 'AAE='],
    [
      { arrayValue: { values: [{ intValue: '1' }, { stringValue: '1' }, {}] } },
      'array',
      '[1, "1", null]',
    ],
    [
      {
        kvlistValue: {
          values: [
            { key: 'a', value: { doubleValue: 1 } },
            { key: 'a', value: {} },
          ],
        },
      },
      'map',
      '{"a": 1, "a": null}',
    ],
    [{}, 'empty', ''],
    [undefined, 'empty', ''],
  ])) {
    assert.deepEqual(readValue(value), { type, text });
  }
});

test('values nested without end are cut, not recursed into', () => {
  let value = /** @type {any} */ ({ intValue: '1' });
  for (let i = 0; i < 500; i++) {
    value = { arrayValue: { values: [value] } };
  }
  assert.match(readValue(value).text, /^\[+…\]+$/);
});
