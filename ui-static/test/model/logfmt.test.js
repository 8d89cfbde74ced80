import test from 'node:test';
import assert from 'node:assert/strict';
import { parseTags } from '../../js/model/logfmt.js';

/** @param {string} text */
function tags(text) {
  const result = parseTags(text);
  assert.ok(result.ok, text);
  return result.tags;
}

/** @param {string} text */
function message(text) {
  const result = parseTags(text);
  assert.ok(!result.ok, text);
  return result.message;
}

test('pairs, quoted keys and quoted values are read', () => {
  assert.deepEqual(tags('http.status_code=500 error=true "a key"="b c"'), {
    'http.status_code': '500',
    error: 'true',
    'a key': 'b c',
  });
});

test('a value may hold equals signs without quotes', () => {
  assert.deepEqual(tags('query=a=b&c=d'), { query: 'a=b&c=d' });
});

test('quotes and backslashes are escaped inside quotes only', () => {
  assert.deepEqual(tags('a="say \\"hi\\"" b="c:\\\\x" c=d\\e f="x\\n"'), {
    a: 'say "hi"',
    b: 'c:\\x',
    c: 'd\\e',
    f: 'x\\n',
  });
});

test('a value may be empty', () => {
  assert.deepEqual(tags('a= b=""'), { a: '', b: '' });
});

test('blanks around are ignored, and nothing is no tags', () => {
  assert.deepEqual(tags('  \t\n'), {});
  assert.deepEqual(tags('  a=1   b=2 '), { a: '1', b: '2' });
});

test('a key named like a property of objects is an ordinary key', () => {
  assert.deepEqual(Object.entries(tags('__proto__=1')), [['__proto__', '1']]);
});

test('what is not understood is said, not guessed', () => {
  assert.match(message('error'), /error=value/);
  assert.match(message('a=1 b'), /“b” has no value/);
  assert.match(message('=1'), /without a key/);
  assert.match(message('a="open'), /not closed/);
  assert.match(message('"open=1'), /not closed/);
  assert.match(message('a="b"c'), /behind the value of “a”/);
  assert.match(message('a=1 a=2'), /twice/);
});
