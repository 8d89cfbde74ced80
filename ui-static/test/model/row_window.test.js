import test from 'node:test';
import assert from 'node:assert/strict';
import { SCROLL_HEIGHT_MAX, rowWindow, scrollToRow } from '../../js/model/row_window.js';

const SMALL = { rowCount: 1000, rowHeight: 28, viewHeight: 560 };
const HUGE = { rowCount: 1_000_000, rowHeight: 28, viewHeight: 560 };

/** Which rows are wholly on the screen. @param {typeof SMALL} size @param {number} scrollTop */
function seenRows(size, scrollTop) {
  const { first, last, offset } = rowWindow(size, scrollTop);
  const rows = [];
  for (let row = first; row < last; row++) {
    const top = offset + row * size.rowHeight - scrollTop;
    if (top >= -0.01 && top + size.rowHeight <= size.viewHeight + 0.01) {
      rows.push(row);
    }
  }
  return rows;
}

test('the number of rows follows the screen, not the list', () => {
  for (const size of [SMALL, HUGE]) {
    for (const scrollTop of [0, 100, 9999]) {
      const { first, last } = rowWindow(size, scrollTop);
      assert.ok(last - first <= 20 + 2 * 8 + 2);
    }
  }
});

test('the screen is full of rows at every place', () => {
  for (const size of [SMALL, HUGE]) {
    const { scrollHeight } = rowWindow(size, 0);
    for (let part = 0; part <= 1; part += 0.01) {
      const scrollTop = (scrollHeight - size.viewHeight) * part;
      assert.ok(seenRows(size, scrollTop).length >= 19, `${part} of ${size.rowCount}`);
    }
  }
});

test('the first row is at the top and the last at the bottom', () => {
  for (const size of [SMALL, HUGE]) {
    const { scrollHeight } = rowWindow(size, 0);
    assert.equal(seenRows(size, 0)[0], 0);
    assert.equal(seenRows(size, scrollHeight - size.viewHeight).at(-1), size.rowCount - 1);
  }
});

test('a list within the bound scrolls pixel by pixel', () => {
  const { offset, scrollHeight } = rowWindow(SMALL, 1234);
  assert.equal(offset, 0);
  assert.equal(scrollHeight, 28_000);
});

test('the scrolled element stays within what browsers can do', () => {
  assert.equal(rowWindow(HUGE, 0).scrollHeight, SCROLL_HEIGHT_MAX);
});

test('a list shorter than the screen, and an empty one, stand at the top', () => {
  assert.deepEqual(rowWindow({ rowCount: 3, rowHeight: 28, viewHeight: 560 }, 0), {
    first: 0,
    last: 3,
    offset: 0,
    scrollHeight: 84,
  });
  assert.deepEqual(rowWindow({ rowCount: 0, rowHeight: 28, viewHeight: 560 }, 0), {
    first: 0,
    last: 0,
    offset: 0,
    scrollHeight: 0,
  });
});

test('a scroll position beyond the end, as after a collapse, still shows rows', () => {
  const { first, last } = rowWindow(SMALL, 1e9);
  assert.equal(last, 1000);
  assert.ok(first < 1000);
});

test('any row can be brought onto the screen, from anywhere', () => {
  for (const size of [SMALL, HUGE]) {
    for (const row of [0, 1, 500, size.rowCount - 1]) {
      for (const from of [0, 5000, rowWindow(size, 0).scrollHeight - 560]) {
        assert.ok(
          seenRows(size, scrollToRow(size, from, row)).includes(row),
          `${row} from ${from}`,
        );
      }
    }
  }
});

test('a row that is seen does not move the list', () => {
  assert.equal(scrollToRow(SMALL, 2800, 105), 2800);
});

test('the next row below the screen moves the list by one row', () => {
  assert.equal(scrollToRow(SMALL, 2800, 120), 2828);
});
