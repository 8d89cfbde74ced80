import test from 'node:test';
import assert from 'node:assert/strict';
import { matches, parseFind } from '../../js/model/find.js';
import { makeSpans } from './make_spans.js';

const [SPAN] = makeSpans([
  {
    id: 'ab',
    service: 'Checkout',
    raw: {
      name: 'POST /pay',
      attributes: [{ key: 'http.status_code', value: { intValue: '500' } }],
      events: [
        {
          name: 'exception',
          attributes: [{ key: 'exception.type', value: { stringValue: 'Timeout' } }],
        },
      ],
      status: { code: 2, message: 'card refused' },
    },
  },
]);

/** @param {string} query */
const finds = (query) => matches(parseFind(query), SPAN);

test('every level of a span is searched, without regard to case', () => {
  for (const query of [
    'checkout',
    'post',
    'PAY',
    '00000000000000ab',
    'http.status_code=500',
    'exception',
    'timeout',
    'refused',
    'service.name=checkout',
    'status=error',
  ]) {
    assert.ok(finds(query), query);
  }
});

test('all words have to be there, and those with a minus must not', () => {
  assert.ok(finds('post 500'));
  assert.ok(!finds('post 404'));
  assert.ok(!finds('post -500'));
  assert.ok(finds('post -404'));
});

test('quoted words are one', () => {
  assert.ok(finds('"post /pay"'));
  assert.ok(!finds('"pay post"'));
  assert.ok(finds('-"pay post"'));
});

test('a word does not reach from one field into the next', () => {
  assert.ok(!finds('"checkout post"'));
});
