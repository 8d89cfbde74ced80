import test from 'node:test';
import assert from 'node:assert/strict';
import {
  formatAgo,
  formatDuration,
  formatLocal,
  formatUtc,
  parseDuration,
  parseNanos,
  toRfc3339,
} from '../../js/model/time.js';

test('times are read exactly, and what is no time is 0', () => {
  assert.equal(parseNanos('1700000000000000001'), 1700000000000000001n);
  assert.equal(parseNanos('18446744073709551615'), 2n ** 64n - 1n);
  assert.equal(parseNanos(1000), 1000n);
  for (const bad of [undefined, null, '', '-1', '1.5', 'x', -1, 1.5, {}, '1'.repeat(21)]) {
    assert.equal(parseNanos(bad), 0n);
  }
});

test('durations are read as Go writes them', () => {
  assert.equal(parseDuration('100ms'), 100_000_000n);
  assert.equal(parseDuration('1.5s'), 1_500_000_000n);
  assert.equal(parseDuration('1h30m'), 5_400_000_000_000n);
  assert.equal(parseDuration(' 250us '), 250_000n);
  assert.equal(parseDuration('250µs'), 250_000n);
  assert.equal(parseDuration('.5ms'), 500_000n);
  assert.equal(parseDuration('1ns'), 1n);
  assert.equal(parseDuration('9007199.254740993s'), 9007199254740993n);
});

test('what is no duration is refused', () => {
  for (const bad of ['', '100', 'ms', '1x', '1 s', '-1s', '1s!', '1..5s', '1e3s']) {
    assert.equal(parseDuration(bad), null, bad);
  }
});

test('a duration is shown in its own unit', () => {
  for (const [ns, text] of /** @type {[number, string][]} */ ([
    [0, '0ns'],
    [1, '1ns'],
    [999, '999ns'],
    [1000, '1µs'],
    [1234, '1.23µs'],
    [12_345_678, '12.35ms'],
    [123_456_789, '123.5ms'],
    [1_500_000_000, '1.5s'],
    [59_990_000_000, '59.99s'],
    [60_000_000_000, '1m'],
    [90_000_000_000, '1m 30s'],
    [3_600_000_000_000, '1h'],
    [7_500_000_000_000, '2h 5m'],
    [90_000_000_000_000, '1d 1h'],
    [-1500, '-1.5µs'],
  ])) {
    assert.equal(formatDuration(ns), text);
  }
});

test('rounding never shows 1000 of a unit or 60 of one', () => {
  assert.equal(formatDuration(999_999), '1ms');
  assert.equal(formatDuration(999_999_999), '1s');
  assert.equal(formatDuration(59_999_999_999), '1m');
  assert.equal(formatDuration(3_599_999_999_999), '1h');
  assert.equal(formatDuration(86_399_999_999_999), '1d');
});

test('a point in time is shown with as many digits as it has', () => {
  assert.equal(formatUtc(1700000000000000000n), '2023-11-14 22:13:20.000');
  assert.equal(formatUtc(1700000000123000000n), '2023-11-14 22:13:20.123');
  assert.equal(formatUtc(1700000000123456000n), '2023-11-14 22:13:20.123456');
  assert.equal(formatUtc(1700000000123456789n), '2023-11-14 22:13:20.123456789');
});

test('local time is what a clock at the place of the reader shows', () => {
  const ns = 1700000000123456789n;
  const date = new Date(1700000000123);
  const [day, time] = formatLocal(ns).split(' ');
  assert.equal(day, date.toLocaleDateString('sv-SE'));
  assert.equal(time, `${date.toLocaleTimeString('en-GB')}.123456789`);
});

test('times for the server keep every nanosecond, up to the last that fits', () => {
  assert.equal(toRfc3339(1700000000000000001n), '2023-11-14T22:13:20.000000001Z');
  assert.equal(toRfc3339(0n), '1970-01-01T00:00:00.000000000Z');
  assert.equal(toRfc3339(2n ** 63n - 1n), '2262-04-11T23:47:16.854775807Z');
});

test('how long ago is told in the largest unit', () => {
  const now = 1700000000000000000n;
  const ago = (/** @type {number} */ seconds) =>
    formatAgo(now - BigInt(seconds) * 1000000000n, now);
  assert.deepEqual(
    [ago(0), ago(59), ago(60), ago(7199), ago(86400 * 3)],
    ['0s ago', '59s ago', '1m ago', '1h ago', '3d ago'],
  );
  assert.equal(ago(-5), 'in the future');
});
