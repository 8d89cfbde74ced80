/*
 * api.js - the only file that talks to the server: addresses, error texts, and a check of the shape
 * of what came back, so that the views never meet a surprise.
 */
import { OtlpError, parseOtlp } from './model/otlp.js';
import { readSummary } from './model/summary.js';

/** An answer that is none; the message is for the reader. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status 0 when there was no answer */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** @param {string} text @param {number} status */
function errorText(text, status) {
  try {
    const message = JSON.parse(text).error.message;
    if (typeof message === 'string' && message !== '') {
      return message;
    }
  } catch {
    // Not in the form of the API, as from a proxy in between: the status has to do.
  }
  return `The server answered with status ${status}.`;
}

/** @param {string} path @param {Record<string, string>} query @param {AbortSignal} [signal] */
async function get(path, query, signal) {
  const params = new URLSearchParams(query).toString();
  let response;
  let text;
  try {
    response = await fetch(params === '' ? path : `${path}?${params}`, { signal });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new ApiError('The server does not answer. Is bobbind running?', 0);
  }
  if (!response.ok) {
    throw new ApiError(errorText(text, response.status), response.status);
  }
  return text;
}

/**
 * @param {string} path
 * @param {Record<string, string>} query
 * @param {string} field that has to be a list
 * @param {AbortSignal} [signal]
 */
async function getList(path, query, field, signal) {
  const text = await get(path, query, signal);
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ApiError(`The answer of ${path} is not JSON.`, 200);
  }
  if (!Array.isArray(answer?.[field])) {
    throw new ApiError(`The answer of ${path} has no list “${field}”.`, 200);
  }
  return answer;
}

/** @returns {Promise<string[]>} */
export async function loadServices() {
  return (await getList('/api/v3/services', {}, 'services')).services.map(String).sort();
}

/** @param {string} service @returns {Promise<string[]>} each name once, whatever its kinds */
export async function loadOperations(service) {
  const { operations } = await getList('/api/v3/operations', { service }, 'operations');
  return [...new Set(operations.map((/** @type {any} */ one) => String(one?.name)))].sort();
}

/**
 * @param {Record<string, string>} query
 * @param {AbortSignal} signal
 * @returns {Promise<{summaries: Summary[], incomplete: string}>}
 */
export async function searchTraces(query, signal) {
  const answer = await getList('/api/v3/trace-summaries', query, 'summaries', signal);
  return {
    summaries: answer.summaries.map(readSummary),
    incomplete: answer.complete === false ? answer.incompleteReason || 'no reason given' : '',
  };
}

/** @param {string} traceId */
export function traceAddress(traceId) {
  return `/api/v3/traces/${encodeURIComponent(traceId)}`;
}

/** @param {string} traceId @param {AbortSignal} signal @returns {Promise<Span[]>} */
export async function loadTrace(traceId, signal) {
  const text = await get(traceAddress(traceId), {}, signal);
  try {
    return parseOtlp(text);
  } catch (error) {
    throw error instanceof OtlpError ? new ApiError(error.message, 200) : error;
  }
}
