/*
 * main.js - reads the URL, mounts the page it names, and fetches what the page shows.
 *
 *   /  /search?…       the search          view/search_form.js, view/trace_list.js
 *   /trace/ID?span=…   one trace           view/trace_page.js
 *   /file?trace=ID     traces of a file that was opened here; nothing of it is sent anywhere
 */
import * as api from './api.js';
import { parseOtlp } from './model/otlp.js';
import { LIMIT_MAX, readSearch, searchQuery, searchUrl } from './model/search_params.js';
import { summarize } from './model/summary.js';
import { formatLocal } from './model/time.js';
import { buildTrace, groupByTrace } from './model/trace_tree.js';
import { counted, h, notice } from './view/dom.js';
import { mountSearchForm } from './view/search_form.js';
import { mountShell } from './view/shell.js';
import { mountTraceList } from './view/trace_list.js';
import { mountTracePage } from './view/trace_page.js';

const root = /** @type {HTMLElement} */ (document.getElementById('page'));
const bar = /** @type {HTMLElement} */ (document.getElementById('topbar'));
const shell = mountShell(bar, { goTo, openFile });

/** Stops what the page that was left is still loading. */
let loading = new AbortController();
/** @type {(() => void) | null} */
let unmount = null;
/** @type {ReturnType<typeof mountSearchPage> | null} stays from one search to the next */
let searchPage = null;
/** @type {{name: string, traces: Map<string, Span[]>} | null} */
let file = null;

/** @param {string} title */
function clear(title) {
  unmount?.();
  unmount = null;
  searchPage = null;
  document.title = title === '' ? 'Bobbin' : `${title} · Bobbin`;
  root.replaceChildren();
}

/** @param {string} title @param {unknown} error */
function showError(title, error) {
  const text = error instanceof Error ? error.message : String(error);
  root.replaceChildren(notice('error', title, text,
    h('a', { href: '/search', class: 'button' }, 'Back to the search')));
}

/* ---- Search ---- */

function mountSearchPage() {
  const page = h('div', { class: 'search' });
  const form = mountSearchForm(page, {
    search: (search) => goTo(searchUrl(search)),
    loadOperations: fillOperations,
  });
  const list = mountTraceList(page);
  root.append(page);
  /** @param {string} service */
  async function fillOperations(service) {
    if (service !== '') {
      form.setOperations(service, await api.loadOperations(service).catch(() => []));
    }
  }
  // Without the names the search itself still says what is wrong.
  api.loadServices().then(form.setServices, () => {});
  return { form, list, fillOperations };
}

/** @param {TimeRange} range */
function rangeText({ from, to, isAll }) {
  return isAll ? 'all time'
    : `${formatLocal(from).slice(0, 19)} to ${formatLocal(to).slice(0, 19)}`;
}

/** @param {Search} search @param {number} count */
function resultTitle(search, count) {
  return count === 0 ? 'Nothing found' : count >= Number(search.limit) && count < LIMIT_MAX
    ? `The ${search.sort} ${counted(count, 'trace')}` : counted(count, 'trace');
}

/** @param {URLSearchParams} params @param {AbortSignal} signal */
async function showSearch(params, signal) {
  if (searchPage === null) {
    clear('');
    searchPage = mountSearchPage();
  }
  const { form, list, fillOperations } = searchPage;
  const search = readSearch(params);
  const now = BigInt(Date.now()) * 1000000n;
  const asked = searchQuery(search, now);
  form.setSearch(search);
  form.setProblems(asked.ok ? new Map() : asked.problems);
  fillOperations(search.service);
  if (!asked.ok) {
    list.setError('This search can’t be made', [...asked.problems.values()].join(' '));
    return;
  }
  list.setBusy();
  try {
    const { summaries, incomplete } = await api.searchTraces(asked.query, signal);
    list.setResults({
      title: resultTitle(search, summaries.length),
      range: rangeText(asked.range),
      summaries,
      incomplete,
      hrefOf: (traceId) => `/trace/${traceId}`,
      now,
    });
  } catch (error) {
    if (!signal.aborted) {
      list.setError('The search failed', /** @type {Error} */ (error).message);
    }
  }
}

/* ---- One trace ---- */

/** @param {Span[]} spans @param {URLSearchParams} params @param {string} rawHref */
function showSpans(spans, params, rawHref) {
  const trace = buildTrace(spans);
  root.replaceChildren();
  const page = mountTracePage(root, trace, {
    params,
    rawHref,
    setParams(next) {
      const url = new URL(location.href);
      for (const [name, value] of Object.entries(next)) {
        if (value === '') {
          url.searchParams.delete(name);
        } else {
          url.searchParams.set(name, value);
        }
      }
      if (url.href !== location.href) {
        history.replaceState(null, '', url);
      }
    },
  });
  unmount = page.unmount;
}

/** @param {string} traceId @param {URLSearchParams} params @param {AbortSignal} signal */
async function showTrace(traceId, params, signal) {
  clear(`Trace ${traceId.slice(0, 8)}`);
  root.append(notice('loading', 'Loading the trace…'));
  try {
    const spans = await api.loadTrace(traceId, signal);
    if (spans.length === 0) {
      throw new api.ApiError('The server gave no spans for it.', 404);
    }
    showSpans(spans, params, api.traceAddress(traceId));
  } catch (error) {
    if (!signal.aborted) {
      const isMissing = error instanceof api.ApiError && error.status === 404;
      showError(isMissing ? 'There is no such trace' : 'The trace can’t be shown', error);
    }
  }
}

/* ---- A file ---- */

/** @param {string} traceId as in the file, whatever that is */
function fileUrl(traceId) {
  return `/file?trace=${encodeURIComponent(traceId)}`;
}

/** @param {File} opened */
async function openFile(opened) {
  loading.abort();
  try {
    const traces = groupByTrace(parseOtlp(await opened.text()));
    const [first] = traces.keys();
    if (first === undefined) {
      throw new Error('There are no spans in it.');
    }
    file = { name: opened.name, traces };
    goTo(traces.size === 1 ? fileUrl(first) : '/file');
  } catch (error) {
    clear('File');
    showError(`${opened.name} can’t be read`, error);
  }
}

/** @param {URLSearchParams} params */
function showFile(params) {
  clear(file?.name ?? 'File');
  const spans = file?.traces.get(params.get('trace') ?? '');
  if (file === null) {
    showError('Open the file again', 'A file is kept in this page only, until it is reloaded.');
  } else if (spans !== undefined) {
    showSpans(spans, params, '');
  } else {
    mountTraceList(root).setResults({
      title: counted(file.traces.size, 'trace'),
      range: file.name,
      summaries: [...file.traces.values()].map(summarize),
      incomplete: '',
      hrefOf: fileUrl,
      now: BigInt(Date.now()) * 1000000n,
    });
  }
}

/* ---- Where to ---- */

function show() {
  const { pathname, searchParams } = new URL(location.href);
  const trace = /^\/trace\/([0-9a-fA-F]+)\/?$/.exec(pathname);
  loading.abort();
  loading = new AbortController();
  if (pathname === '/' || pathname === '/search') {
    showSearch(searchParams, loading.signal);
  } else if (trace !== null) {
    showTrace(trace[1].toLowerCase(), searchParams, loading.signal);
  } else if (pathname === '/file') {
    showFile(searchParams);
  } else {
    clear('No such page');
    showError('There is no such page', pathname);
  }
}

/** @param {string} url of this site */
function goTo(url) {
  history.pushState(null, '', url);
  show();
}

addEventListener('popstate', show);
document.addEventListener('click', (event) => {
  const link = /** @type {Element} */ (event.target).closest('a');
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey
    && !event.altKey;
  if (link !== null && isPlain && link.target === '' && link.origin === location.origin) {
    event.preventDefault();
    goTo(link.href);
  }
});
document.addEventListener('keydown', (event) => {
  const isTyping = /** @type {Element} */ (event.target).closest('input, select') !== null;
  if (event.key === '?' && !isTyping) {
    shell.showKeys();
  }
});
show();
