#include "collector/otlp_answer.h"

#include "common/json_writer.h"
#include "common/pb_wire.h"

enum response_field { RESPONSE_PARTIAL_SUCCESS = 1 };
enum partial_success_field { PARTIAL_REJECTED_SPANS = 1, PARTIAL_ERROR_MESSAGE = 2 };

struct outcome_codes {
    enum bb_rpc_code rpc;
    unsigned http;
};

static struct outcome_codes codes_of(enum bb_ingest_outcome outcome)
{
    switch (outcome) {
    case BB_INGEST_OK:
    case BB_INGEST_PARTIAL:
        return (struct outcome_codes){BB_RPC_OK, 200};
    case BB_INGEST_INVALID:
        return (struct outcome_codes){BB_RPC_INVALID_ARGUMENT, 400};
    case BB_INGEST_TOO_LARGE:
        return (struct outcome_codes){BB_RPC_RESOURCE_EXHAUSTED, 413};
    case BB_INGEST_RETRY:
        return (struct outcome_codes){BB_RPC_UNAVAILABLE, 503};
    case BB_INGEST_INTERNAL:
        break;
    }
    return (struct outcome_codes){BB_RPC_INTERNAL, 500};
}

struct bb_rpc_status bb_ingest_status(const struct bb_ingest_result *result)
{
    /* RESOURCE_EXHAUSTED with a RetryInfo would mean "send it again". */
    uint32_t retry_after_s = result->outcome == BB_INGEST_RETRY ? result->retry_after_s : 0;

    return bb_rpc_status_of(codes_of(result->outcome).rpc, result->message.text, retry_after_s);
}

unsigned bb_ingest_http_status(enum bb_ingest_outcome outcome)
{
    return codes_of(outcome).http;
}

void bb_otlp_answer_to_protobuf(const struct bb_ingest_result *result, struct bb_buf *out)
{
    if (result->outcome == BB_INGEST_OK) {
        return; /* partial_success stays unset: an empty message */
    }
    size_t partial = bb_pb_begin_message(out, RESPONSE_PARTIAL_SUCCESS);
    if (result->rejected_count > 0) {
        bb_pb_write_uint(out, PARTIAL_REJECTED_SPANS, result->rejected_count);
    }
    bb_pb_write_bytes(out, PARTIAL_ERROR_MESSAGE, bb_slice_from_cstr(result->message.text));
    bb_pb_end_message(out, partial);
}

void bb_otlp_answer_to_json(const struct bb_ingest_result *result, struct bb_buf *out)
{
    struct bb_json_writer json = bb_json_writer_of(out);

    bb_json_begin_object(&json);
    if (result->outcome == BB_INGEST_PARTIAL) {
        bb_json_key(&json, "partialSuccess");
        bb_json_begin_object(&json);
        bb_json_key(&json, "rejectedSpans");
        bb_json_uint_string(&json, result->rejected_count);
        bb_json_key(&json, "errorMessage");
        bb_json_cstr(&json, result->message.text);
        bb_json_end_object(&json);
    }
    bb_json_end_object(&json);
}
