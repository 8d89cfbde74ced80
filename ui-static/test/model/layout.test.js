import test from 'node:test';
import assert from 'node:assert/strict';
import {
  clampRange,
  panRange,
  placeBar,
  rulerTicks,
  wholeRange,
  zoomRange,
} from '../../js/model/layout.js';

test('a bar lies where its time does in the range', () => {
  assert.deepEqual(placeBar({ from: 0, to: 200 }, 50, 100), {
    left: 0.25,
    width: 0.5,
    isVisible: true,
  });
});

test('a bar is cut at the edges of the range', () => {
  assert.deepEqual(placeBar({ from: 100, to: 200 }, 50, 100), {
    left: 0,
    width: 0.5,
    isVisible: true,
  });
  assert.deepEqual(placeBar({ from: 100, to: 200 }, 0, 1000), {
    left: 0,
    width: 1,
    isVisible: true,
  });
});

test('a bar outside of the range is not seen', () => {
  assert.equal(placeBar({ from: 100, to: 200 }, 0, 50).isVisible, false);
  assert.equal(placeBar({ from: 100, to: 200 }, 201, 50).isVisible, false);
});

test('a bar that takes no time, or ends before it starts, has no width', () => {
  assert.deepEqual(placeBar({ from: 0, to: 100 }, 50, 0), { left: 0.5, width: 0, isVisible: true });
  assert.deepEqual(placeBar({ from: 0, to: 100 }, 50, -20), {
    left: 0.5,
    width: 0,
    isVisible: true,
  });
});

test('a trace that takes no time still has a range', () => {
  const { from, to } = wholeRange(0);
  assert.ok(to > from);
});

test('a range is kept within the trace, ordered, and not too short', () => {
  assert.deepEqual(clampRange({ from: -50, to: 50 }, 1000), { from: 0, to: 100 });
  assert.deepEqual(clampRange({ from: 950, to: 1050 }, 1000), { from: 900, to: 1000 });
  assert.deepEqual(clampRange({ from: 500, to: 500 }, 1000), { from: 500, to: 510 });
  assert.deepEqual(clampRange({ from: -1, to: 5000 }, 1000), { from: 0, to: 1000 });
});

test('zooming keeps its center in place and ends at the whole trace', () => {
  assert.deepEqual(zoomRange({ from: 0, to: 1000 }, 1000, 0.5, 200), { from: 100, to: 600 });
  assert.deepEqual(zoomRange({ from: 100, to: 600 }, 1000, 9, 200), { from: 0, to: 1000 });
});

test('panning keeps the length and stops at the edges', () => {
  assert.deepEqual(panRange({ from: 100, to: 300 }, 1000, 0.5), { from: 200, to: 400 });
  assert.deepEqual(panRange({ from: 100, to: 300 }, 1000, -2), { from: 0, to: 200 });
});

test('the ruler has round marks, no more than asked for, all in the range', () => {
  assert.deepEqual(
    rulerTicks({ from: 0, to: 1_000_000 }, 5).map((tick) => tick.label),
    ['0ns', '200µs', '400µs', '600µs', '800µs', '1ms'],
  );
  for (const length of [10, 999, 12_345, 7e6, 3.3e9, 9e12]) {
    for (const countMax of [1, 4, 9]) {
      const ticks = rulerTicks({ from: 17, to: 17 + length }, countMax);
      assert.ok(ticks.length <= countMax + 1);
      assert.ok(ticks.every((tick) => tick.fraction >= 0 && tick.fraction <= 1));
    }
  }
});
