/*
 * export_answer.h - what an OTLP receiver answers.
 */
#ifndef BBC_EXPORT_ANSWER_H
#define BBC_EXPORT_ANSWER_H

#include <stddef.h>
#include <stdint.h>

/*
 * The rejected_spans of an ExportTraceServiceResponse: { 1: partial_success { 1: rejected_spans }
 * }.
 * 0 where there is no partial success, or the answer is malformed: it has said success all the
 * same.
 */
uint32_t bbc_otlp_answer_rejected(const uint8_t *answer, size_t size);

#endif /* BBC_EXPORT_ANSWER_H */
