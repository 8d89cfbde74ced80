/*
 * summary.js - one line about a trace: as the server's /api/v3/trace-summaries gives it, or counted
 * here for a trace of a file.
 */
import { buildTrace, headNode } from './trace_tree.js';
import { parseNanos } from './time.js';

/**
 * @param {any} answer one of the server's summaries
 * @returns {Summary}
 */
export function readSummary(answer) {
  const start = parseNanos(answer.minStartTimeUnixNano);
  return {
    traceId: String(answer.traceId),
    service: answer.rootServiceName ?? '',
    operation: answer.rootOperationName ?? '',
    start,
    duration: Math.max(0, Number(parseNanos(answer.maxEndTimeUnixNano) - start)),
    spanCount: answer.spanCount ?? 0,
    errorCount: answer.errorSpanCount ?? 0,
    orphanCount: answer.orphanSpanCount ?? 0,
    services: (answer.services ?? []).map((/** @type {any} */ service) => ({
      name: String(service.name),
      spanCount: service.spanCount ?? 0,
      errorCount: service.errorSpanCount ?? 0,
    })),
  };
}

/**
 * @param {Span[]} spans all of one trace
 * @returns {Summary}
 */
export function summarize(spans) {
  const trace = buildTrace(spans);
  const head = headNode(trace)?.span;
  return {
    traceId: trace.id,
    service: head?.service ?? '',
    operation: head?.name ?? '',
    start: trace.start,
    duration: trace.duration,
    spanCount: trace.spanCount,
    errorCount: trace.errorCount,
    orphanCount: trace.orphanCount,
    services: trace.services,
  };
}
