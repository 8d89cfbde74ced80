/*
 * limits.h - every bound of the daemons, in one place, each with its unit and its reason.
 * docs/limits.md is generated from this file.
 *
 * When a limit is hit the peer is told and a counter goes up: nothing is dropped in silence.
 */
#ifndef BB_COMMON_LIMITS_H
#define BB_COMMON_LIMITS_H

#include <assert.h>

/* Receiving */

/* Bytes of one request, also after inflating. The OTLP specification's recommended bound. */
#define BB_REQUEST_BYTES_MAX (64u << 20)
/* Bytes of one span as it came. Above it are only mistakes; values of 1 MiB must pass whole. */
#define BB_SPAN_BYTES_MAX (16u << 20)
/* Bytes of one Resource or InstrumentationScope message; it is kept with every block of spans. */
#define BB_RESOURCE_BYTES_MAX (1u << 20)
/* Spans in one request: as many as a segment holds, so that a request is appended whole. */
#define BB_REQUEST_SPANS_MAX (1u << 20)
/* Nesting of one AnyValue. A stack frame a level stays far below the 1 MiB of our threads. */
#define BB_VALUE_DEPTH_MAX 32
/* Nesting of one JSON document. The deepest AnyValue takes 4 levels for each of its own. */
#define BB_JSON_DEPTH_MAX 192
/* Attributes on one span, event, link, scope or resource. OpenTelemetry's SDKs default to 128. */
#define BB_ATTRIBUTES_MAX 4096
/* Events or links of one span. SDKs default to 128; a streaming call may record many more. */
#define BB_SPAN_EVENTS_MAX (64u << 10)
#define BB_SPAN_LINKS_MAX (64u << 10)
/* Key and value pairs and array elements in one span, over all levels: bounds the walk. */
#define BB_SPAN_VALUES_MAX (1u << 20)
/* Inflated bytes for each compressed byte, above 1 MiB inflated: honest telemetry has under 100. */
#define BB_INFLATE_RATIO_MAX 1000
/* Window of a zstd frame, log2 bytes: 8 MiB, what RFC 8878 asks every decoder to support. */
#define BB_ZSTD_WINDOW_LOG_MAX 23

/* HTTP */

/* Bytes of a request's head (line and headers) */
#define BB_HTTP_HEAD_BYTES_MAX (32u << 10)
/* Query arguments of one URL */
#define BB_HTTP_ARGS_MAX 256
/* Connections of one listener; further ones wait in the kernel's backlog. */
#define BB_HTTP_CONNECTIONS_MAX 4096
/* Seconds without a byte before a connection is closed */
#define BB_HTTP_IDLE_S_MAX 60
/* Bytes of a refused body that are read and thrown away. A client that is still sending sees our
 * answer only so: closing at once would reset the connection, which it takes as "try again". */
#define BB_HTTP_DISCARD_BYTES_MAX (256u << 20)
/* Whole requests of one listener that wait for a worker thread, HTTP or gRPC: further ones are told
 * to retry. Seconds of work at a few milliseconds a request. */
#define BB_SERVER_QUEUE_MAX 1024

/* gRPC */

/* Concurrent streams of one connection */
#define BB_GRPC_STREAMS_MAX 1024
/* Bytes of one message that we stream: clients accept 4 MiB by default. */
#define BB_GRPC_CHUNK_BYTES_MAX (3u << 20)
/* Seconds that a streaming call waits for its client to read before it is cancelled */
#define BB_GRPC_SEND_S_MAX 60
/* Messages that are taken in before one of those that wait is worked on: bounds how long a burst
 * holds up the first of it. */
#define BB_GRPC_BURST_MAX 64

/* Answers */

/* Bytes of one rendered answer over HTTP. */
#define BB_ANSWER_BYTES_MAX (1u << 30)
/* Traces that one search may ask for */
#define BB_SEARCH_LIMIT_MAX 100000
/* Conditions of one search */
#define BB_SEARCH_CONDITIONS_MAX 64
/* Bytes of one query's memory: fetched spans and what is rendered from them */
#define BB_QUERY_BYTES_MAX (1u << 30)
/* Bytes of a gRPC query's request message: names and conditions, never spans. */
#define BB_QUERY_REQUEST_BYTES_MAX (256u << 10)
/* Bytes of one file of the viewer that is read from a directory */
#define BB_UI_FILE_BYTES_MAX (4u << 20)
/* Queries that run at once, over HTTP and over gRPC each; BB_SERVER_QUEUE_MAX more wait. */
#define BB_QUERY_THREADS 4

/* Store */

/* Bytes of spans (as received) in one segment before it is sealed: bounds log and restart. */
#define BB_SEGMENT_BYTES_MAX (64u << 20)
/* Spans in one segment before it is sealed */
#define BB_SEGMENT_SPANS_MAX (1u << 20)
/* Spans in one block of a sealed segment */
#define BB_BLOCK_SPANS_MAX 4096
/* Bytes of spans (as received) in one block. */
#define BB_BLOCK_BYTES_MAX (4u << 20)
/* Spans, and bytes of them, in one page of a block: the unit that a look-up inflates. */
#define BB_PAGE_SPANS_MAX 1024
#define BB_PAGE_BYTES_MAX (512u << 10)
/* Partitions on disk that retention aims at; its length is chosen so. */
#define BB_PARTITIONS_AIM 96

/* The process */

/* Bytes of the configuration file: a hundred times what every setting at its longest takes. */
#define BB_CONFIG_FILE_BYTES_MAX (64u << 10)
/* Bytes that --memory-limit can't go below: a quarter of it must hold the largest request. */
#define BB_MEMORY_BYTES_MIN (256u << 20)
/* Bytes that --max-disk-bytes can't go below: two unsealed segments and what they are sealed to. */
#define BB_DISK_BYTES_MIN (256u << 20)
/* Seconds that --retention can't go below: shorter ones expire before anybody could look. */
#define BB_RETENTION_S_MIN 1
/* Threads of one receiver, one a core up to here: more only wait for the log. */
#define BB_INGEST_THREADS_MAX 16
/* Milliseconds that requests get to finish in when the daemon stops. */
#define BB_DRAIN_MS_MAX 5000
/* Seconds in which a stop must be over; then the process ends anyway: all that was acknowledged is
 * in the log. */
#define BB_STOP_S_MAX 10

static_assert(BB_SPAN_BYTES_MAX < BB_REQUEST_BYTES_MAX, "a span must fit into a request");
static_assert(BB_REQUEST_BYTES_MAX <= BB_SEGMENT_BYTES_MAX, "a request must fit into a segment");
static_assert(BB_REQUEST_BYTES_MAX <= BB_MEMORY_BYTES_MIN / 4, "a request must fit into its share");
static_assert(BB_DRAIN_MS_MAX < BB_STOP_S_MAX * 1000, "closing the store needs time, too");

#endif /* BB_COMMON_LIMITS_H */
