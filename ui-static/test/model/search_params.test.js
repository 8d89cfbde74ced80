import test from 'node:test';
import assert from 'node:assert/strict';
import {
  DEFAULTS,
  readSearch,
  searchQuery,
  searchUrl,
  traceUrl,
} from '../../js/model/search_params.js';

const NOW = 1700000000000000000n;

/** @param {Partial<Search>} fields */
function query(fields) {
  const result = searchQuery({ ...DEFAULTS, ...fields }, NOW);
  assert.ok(result.ok);
  return result.query;
}

/** @param {Partial<Search>} fields */
function problems(fields) {
  const result = searchQuery({ ...DEFAULTS, ...fields }, NOW);
  assert.ok(!result.ok);
  return [...result.problems.keys()];
}

test('the default search is an address without parameters', () => {
  assert.equal(searchUrl(DEFAULTS), '/search');
  assert.deepEqual(readSearch(new URLSearchParams('')), DEFAULTS);
});

test('every search reads back from its address', () => {
  const search = {
    service: 'a&b',
    operation: 'GET /x?y=1',
    tags: '"a key"="b c" e=true',
    minDuration: '1ms',
    maxDuration: '2s',
    lookback: 'custom',
    start: '2023-11-14T22:13:20.000Z',
    end: '2023-11-15T00:00:00.000Z',
    sort: 'slowest',
    limit: '100',
  };
  const url = new URL(searchUrl(search), 'http://127.0.0.1');
  assert.deepEqual(readSearch(url.searchParams), search);
});

test('unknown values in an address fall back to the defaults', () => {
  const search = readSearch(new URLSearchParams('lookback=1y&sort=oldest'));
  assert.equal(search.lookback, '1h');
  assert.equal(search.sort, 'newest');
});

test('a search is put to the server in its words', () => {
  assert.deepEqual(
    query({
      service: 'web',
      operation: 'GET /',
      tags: 'error=true',
      minDuration: '1.5ms',
      sort: 'slowest',
      limit: '5',
    }),
    {
      'query.serviceName': 'web',
      'query.operationName': 'GET /',
      'query.attributes': '{"error":"true"}',
      'query.durationMin': '1500000ns',
      'query.startTimeMin': '2023-11-14T21:13:20.000000000Z',
      'query.startTimeMax': '2023-11-14T22:13:20.000000000Z',
      'query.searchDepth': '5',
      'query.sort': 'slowest',
    },
  );
});

test('all time is from the epoch to the last nanosecond there is', () => {
  const all = query({ lookback: 'all' });
  assert.equal(all['query.startTimeMin'], '1970-01-01T00:00:00.000000000Z');
  assert.equal(all['query.startTimeMax'], '2262-04-11T23:47:16.854775807Z');
});

test('a custom range may be open at either side', () => {
  const open = query({ lookback: 'custom', start: '2023-11-14T00:00:00Z' });
  assert.equal(open['query.startTimeMin'], '2023-11-14T00:00:00.000000000Z');
  assert.equal(open['query.startTimeMax'], '2023-11-14T22:13:20.000000000Z');
});

test('each field that cannot be understood is named', () => {
  assert.deepEqual(problems({ tags: 'error' }), ['tags']);
  assert.deepEqual(problems({ minDuration: '100' }), ['minDuration']);
  assert.deepEqual(problems({ minDuration: '2s', maxDuration: '1s' }), ['maxDuration']);
  assert.deepEqual(problems({ lookback: 'custom', start: 'soon' }), ['start']);
  assert.deepEqual(problems({ lookback: 'custom', start: '2023-11-14', end: '2023-11-13' }), [
    'end',
  ]);
  for (const limit of ['0', '', '1501', '1.5', 'x']) {
    assert.deepEqual(problems({ limit }), ['limit']);
  }
});

test('trace ids of 32 and 16 digits and a traceparent lead to a trace', () => {
  const id = '0123456789abcdef0123456789abcdef';
  assert.equal(traceUrl(`  ${id.toUpperCase()} `), `/trace/${id}`);
  assert.equal(traceUrl('0123456789abcdef'), '/trace/00000000000000000123456789abcdef');
  assert.equal(traceUrl(`00-${id}-00f067aa0ba902b7-01`), `/trace/${id}?span=00f067aa0ba902b7`);
});

test('what is no trace id leads nowhere', () => {
  for (const bad of ['', 'x', '123', '0'.repeat(32), 'g'.repeat(32), '0123456789abcdef0']) {
    assert.equal(traceUrl(bad), null, bad);
  }
});
