/*
 * request_json.h - OTLP's JSON form of an encoded request, by a table of OTLP's trace messages.
 */
#ifndef BBC_REQUEST_JSON_H
#define BBC_REQUEST_JSON_H

#include "client/byte_sink.h"

/*
 * Appends an ExportTraceServiceRequest as one JSON object without line breaks: ids in hexadecimal,
 * 64-bit numbers as strings, bytes in base64, enums as numbers, names in lowerCamelCase. Fields
 * that
 * the table doesn't have are left out. False: the request is malformed, or memory is out.
 */
bool bbc_otlp_json(const uint8_t *request, size_t size, struct bbc_sink *out);

#endif /* BBC_REQUEST_JSON_H */
