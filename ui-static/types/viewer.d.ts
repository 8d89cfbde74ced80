/*
 * viewer.d.ts - the shapes that modules of the viewer hand to each other. For the type check only:
 * it is not served.
 */

/* ---- OTLP JSON, as far as it is read: model/otlp.js ---- */

interface KeyValue {
  key: string;
  value?: Record<string, any>;
}

interface RawEvent {
  timeUnixNano?: unknown;
  name?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

interface RawLink {
  traceId?: string;
  spanId?: string;
  traceState?: string;
  flags?: number;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

interface RawSpan {
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  traceState?: string;
  flags?: number;
  name?: string;
  kind?: number | string;
  startTimeUnixNano?: unknown;
  endTimeUnixNano?: unknown;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  events?: RawEvent[];
  droppedEventsCount?: number;
  links?: RawLink[];
  droppedLinksCount?: number;
  status?: { code?: number | string; message?: string };
}

interface Resource {
  service: string;
  attributes: KeyValue[];
  dropped: number;
  schemaUrl: string;
}

interface Scope {
  name: string;
  version: string;
  attributes: KeyValue[];
  dropped: number;
  schemaUrl: string;
}

interface Span {
  traceId: string;
  id: string;
  /** '' for a root */
  parentId: string;
  name: string;
  service: string;
  /** 'server', or the number of a kind that is not known here */
  kind: string;
  status: 'unset' | 'ok' | 'error';
  /** nanoseconds since the epoch; 0 when it was not set */
  start: bigint;
  end: bigint;
  resource: Resource;
  scope: Scope;
  raw: RawSpan;
}

/* ---- A trace: model/trace_tree.js ---- */

interface SpanNode {
  /** its place in Trace.nodes */
  index: number;
  /** null for a placeholder: the span was not received */
  span: Span | null;
  /** the span id, or that of the span which is missing */
  id: string;
  /** 0 for a root */
  depth: number;
  /** index, or -1 */
  parent: number;
  /** index behind the last of its subtree */
  end: number;
  childCount: number;
  /** nanoseconds from the trace's start */
  start: number;
  /** nanoseconds; negative when it ends before it starts */
  duration: number;
  isError: boolean;
  /** a cycle of parents was cut here */
  isCut: boolean;
  /** another span has the same id */
  sharesId: boolean;
  /** its start or its end was not set */
  hasNoTime: boolean;
  /** how long before its parent it starts, in nanoseconds; 0 when it does not */
  skew: number;
}

interface ServiceCount {
  name: string;
  spanCount: number;
  errorCount: number;
}

interface Trace {
  id: string;
  /** depth first */
  nodes: SpanNode[];
  /** nanoseconds since the epoch */
  start: bigint;
  /** nanoseconds from the first start to the last end */
  duration: number;
  spanCount: number;
  errorCount: number;
  /** spans whose parent was not received */
  orphanCount: number;
  /** copies that were merged */
  copyCount: number;
  skewCount: number;
  /** levels of the tree; 0 for an empty trace */
  depth: number;
  /** in order of appearance */
  services: ServiceCount[];
  /** the first true root; null when it was not received */
  root: SpanNode | null;
}

/** One line about a trace: model/summary.js. */
interface Summary {
  traceId: string;
  /** of the root */
  service: string;
  operation: string;
  start: bigint;
  duration: number;
  spanCount: number;
  errorCount: number;
  orphanCount: number;
  services: ServiceCount[];
}

/* ---- What is looked at ---- */

/** Nanoseconds from the trace's start; from < to. */
interface ViewRange {
  from: number;
  to: number;
}

/** A word of the find box: model/find.js. */
interface Term {
  text: string;
  isExcluded: boolean;
}

/** A list of rows on a screen, in pixels: model/row_window.js. */
interface ListSize {
  rowCount: number;
  rowHeight: number;
  viewHeight: number;
}

/** Every field of the search as text, as it stands in the form: model/search_params.js. */
interface Search {
  /** '' for all */
  service: string;
  operation: string;
  /** logfmt */
  tags: string;
  minDuration: string;
  maxDuration: string;
  /** a key of LOOKBACKS, 'all' or 'custom' */
  lookback: string;
  /** with 'custom': UTC as "2023-11-14T22:13:20Z", or '' */
  start: string;
  end: string;
  sort: string;
  limit: string;
}

/** Nanoseconds since the epoch. */
interface TimeRange {
  from: bigint;
  to: bigint;
  isAll: boolean;
}

type Problems = Map<keyof Search, string>;

type ColorOf = (service: string) => number;

/** What the list of traces shows: view/trace_list.js. */
interface Results {
  title: string;
  /** what was searched, in words */
  range: string;
  summaries: Summary[];
  /** why this is not all; '' when it is */
  incomplete: string;
  hrefOf: (traceId: string) => string;
  now: bigint;
}

/** What the waterfall shows: view/timeline.js. */
interface TimelineState {
  /** indexes of the nodes that are rows */
  rows: Int32Array;
  /** indexes of the nodes whose subtree is hidden */
  collapsed: ReadonlySet<number>;
  range: ViewRange;
  /** index of a node, or -1 */
  cursor: number;
  matches: ReadonlySet<number>;
}

interface TimelineContext {
  colorOf: ColorOf;
  open: (index: number) => void;
  toggle: (index: number) => void;
}
