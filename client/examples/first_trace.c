/*
 * first_trace.c - the smallest whole program: two spans, one within the other, as OTLP/JSON on the
 * standard output. With an address as its argument it sends them there by OTLP/HTTP instead:
 *
 *     first_trace http://127.0.0.1:4318/v1/traces
 */
#include <stdio.h>

#include <bobbin/bobbin.h>
#include <bobbin/otlp_http.h>

static void load(const struct bobbin_tracer *tracer)
{
    BOBBIN_SCOPE(work, tracer, "load");
    bobbin_span_set_int(&work.span, bobbin_lit("rows"), 3);
    BOBBIN_SCOPE_END(work);
}

int main(int argc, char **argv)
{
    const struct bobbin_tracer *tracer = bobbin_tracer_named("first_trace");
    struct bobbin_otlp_http_opts http = {.url = argc > 1 ? argv[1] : NULL};
    struct bobbin_opts opts;
    enum bobbin_err err;

    bobbin_opts_init(&opts);
    opts.service_name = "first-trace";
    err = argc > 1 ? bobbin_otlp_http_exporter_open(&http, &opts.exporter)
                   : bobbin_fd_exporter_open(1, &opts.exporter);
    if (err == BOBBIN_OK) {
        err = bobbin_start(&opts);
    }
    if (err != BOBBIN_OK) {
        fputs(bobbin_err_name(err), stderr);
        return 1;
    }
    BOBBIN_SCOPE(work, tracer, "main");
    load(tracer);
    BOBBIN_SCOPE_END(work);
    err = bobbin_shutdown(5000);
    if (err != BOBBIN_OK) {
        fputs(bobbin_err_name(err), stderr);
    }
    return err == BOBBIN_OK ? 0 : 1;
}
