/*
 * row_window.js - which rows of a long list are on the screen, and where.
 *
 * Browsers stop at some 17 million pixels of height, which a million rows pass. So a list has two
 * heights: `full`, of all rows, and `scroll`, of the scrolled element, which is bounded. The way in
 * one stands to the way in the other as the distances that can be scrolled do:
 *
 *     top of the screen in the list = scrollTop * (full - view) / (scroll - view)
 *
 * For a list within the bound the two are the same and one pixel scrolled is one pixel moved.
 */

/** Below Firefox's limit of 17,895,697 px and Chromium's of 33,554,428 px. */
export const SCROLL_HEIGHT_MAX = 15_000_000;

/** Rows kept beyond each edge, so that a short scroll shows no blanks before the next frame. */
const ROWS_BEYOND = 8;

/** @param {ListSize} size */
function heights({ rowCount, rowHeight, viewHeight }) {
  const full = rowCount * rowHeight;
  const scroll = Math.min(full, SCROLL_HEIGHT_MAX);
  const ratio = scroll > viewHeight ? (full - viewHeight) / (scroll - viewHeight) : 1;
  return { full, scroll, ratio };
}

/**
 * @param {ListSize} size
 * @param {number} scrollTop
 * @returns {{first: number, last: number, offset: number, scrollHeight: number}} the rows from
 *   `first` up to, not including, `last`; row i stands at offset + i * rowHeight in the element
 */
export function rowWindow(size, scrollTop) {
  const { full, scroll, ratio } = heights(size);
  const top = Math.max(0, Math.min(scrollTop * ratio, full - size.viewHeight));
  const first = Math.floor(top / size.rowHeight) - ROWS_BEYOND;
  const last = Math.ceil((top + size.viewHeight) / size.rowHeight) + ROWS_BEYOND;
  return {
    first: Math.max(0, first),
    last: Math.min(size.rowCount, last),
    offset: Math.max(0, scrollTop) - top,
    scrollHeight: scroll,
  };
}

/**
 * Where to scroll so that a row is wholly seen: nowhere if it is; to the nearer edge if it is
 * within a screen; else to the middle.
 * @param {ListSize} size
 * @param {number} scrollTop
 * @param {number} row
 * @returns {number} the new scrollTop
 */
export function scrollToRow(size, scrollTop, row) {
  const { full, ratio } = heights(size);
  const { rowHeight, viewHeight } = size;
  const top = scrollTop * ratio;
  const rowTop = row * rowHeight;
  let wanted = top;
  if (rowTop < top - viewHeight || rowTop > top + 2 * viewHeight) {
    wanted = rowTop - (viewHeight - rowHeight) / 2;
  } else if (rowTop < top) {
    wanted = rowTop;
  } else if (rowTop + rowHeight > top + viewHeight) {
    wanted = rowTop + rowHeight - viewHeight;
  }
  return Math.max(0, Math.min(wanted, full - viewHeight)) / ratio;
}
