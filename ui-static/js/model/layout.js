/*
 * layout.js - the time axis of the waterfall: the range that is seen, its ruler, where bars lie.
 *
 * Two spaces: nanoseconds from the trace's start, and fractions, where 0 is the left edge of the
 * visible range and 1 its right. Pixels are left to CSS.
 */
import { formatDuration } from './time.js';

/** No range is shorter: below it, neighbouring ticks would be the same nanosecond. */
const RANGE_MIN = 10;

/**
 * The whole trace. One that takes no time gets a range all the same, as a range has a length.
 * @param {number} duration
 * @returns {ViewRange}
 */
export function wholeRange(duration) {
  return { from: 0, to: Math.max(duration, RANGE_MIN) };
}

/**
 * The nearest valid range within the trace.
 * @param {ViewRange} range
 * @param {number} duration of the trace
 * @returns {ViewRange}
 */
export function clampRange(range, duration) {
  const whole = wholeRange(duration);
  const length = Math.min(Math.max(Math.round(range.to - range.from), RANGE_MIN), whole.to);
  const from = Math.min(Math.max(Math.round(range.from), 0), whole.to - length);
  return { from, to: from + length };
}

/**
 * @param {ViewRange} range
 * @param {number} duration of the trace
 * @param {number} factor below 1 comes nearer
 * @param {number} center what stays in its place, in nanoseconds
 */
export function zoomRange(range, duration, factor, center) {
  const from = center - (center - range.from) * factor;
  return clampRange({ from, to: from + (range.to - range.from) * factor }, duration);
}

/**
 * @param {ViewRange} range
 * @param {number} duration of the trace
 * @param {number} fraction of the range; negative to the left
 */
export function panRange(range, duration, fraction) {
  const by = (range.to - range.from) * fraction;
  return clampRange({ from: range.from + by, to: range.to + by }, duration);
}

/**
 * @param {ViewRange} range
 * @param {number} time
 */
export function fractionOf(range, time) {
  return (time - range.from) / (range.to - range.from);
}

/**
 * Where a bar lies. What is outside of the range is cut off.
 * @param {ViewRange} range
 * @param {number} start
 * @param {number} duration
 * @returns {{left: number, width: number, isVisible: boolean}} in fractions
 */
export function placeBar(range, start, duration) {
  const left = fractionOf(range, start);
  const right = fractionOf(range, start + Math.max(0, duration));
  const seenLeft = Math.min(Math.max(left, 0), 1);
  return {
    left: seenLeft,
    width: Math.min(Math.max(right, 0), 1) - seenLeft,
    isVisible: left <= 1 && right >= 0,
  };
}

/**
 * The marks of the ruler: multiples of 1, 2 or 5 times a power of ten.
 * @param {ViewRange} range
 * @param {number} countMax
 * @returns {{fraction: number, label: string}[]}
 */
export function rulerTicks(range, countMax) {
  const least = (range.to - range.from) / Math.max(1, countMax);
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least) ?? 10;
  const step = Math.max(1, factor * power);
  const ticks = [];
  for (let i = Math.ceil(range.from / step); i * step <= range.to; i++) {
    ticks.push({ fraction: fractionOf(range, i * step), label: formatDuration(i * step) });
  }
  return ticks;
}
