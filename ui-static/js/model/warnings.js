/*
 * warnings.js - what has to be known of a trace or a span before the picture is believed, in words.
 */
import { formatDuration } from './time.js';

/** @param {number} count @param {string} one @param {string} many */
function some(count, one, many) {
  return count === 1 ? `1 span ${one}` : `${count.toLocaleString('en')} spans ${many}`;
}

/** @param {Trace} trace */
export function traceWarnings({ root, orphanCount, copyCount, skewCount }) {
  return [
    root === null && 'The root span was not received.',
    orphanCount > 0 && `${some(orphanCount, 'names', 'name')} a parent that was not received.`,
    copyCount > 0 && `${some(copyCount, 'came', 'came')} more than once and merged.`,
    skewCount > 0 && `${some(skewCount, 'starts', 'start')} before the parent: the clocks differ. `
      + 'Times are shown as received.',
  ].filter((text) => text !== false);
}

/** @param {SpanNode} node @param {Trace} trace */
export function nodeWarnings(node, trace) {
  const { span, parent, childCount, skew, isCut, sharesId, hasNoTime, duration } = node;
  return [
    span === null && `Not received: it may be late, not sampled, or lost. ${
      some(childCount, 'names', 'name')} it as parent.`,
    trace.nodes[parent]?.span === null && 'Its parent was not received.',
    isCut && 'Its parents form a cycle, which was cut here.',
    skew > 0 && `Starts ${formatDuration(skew)} before its parent: the clocks of the two differ.`,
    sharesId && 'Another span of this trace has the same id.',
    hasNoTime && 'Its start or its end was not set.',
    duration < 0 && 'It ends before it starts.',
  ].filter((text) => text !== false);
}
