#include <bobbin/bobbin.h>

int main(void)
{
    struct bobbin_opts opts;
    struct bobbin_stats stats;

    bobbin_opts_init(&opts);
    if (bobbin_fd_exporter_open(1, &opts.exporter) != BOBBIN_OK ||
        bobbin_start(&opts) != BOBBIN_OK) {
        return 1;
    }
    {
        BOBBIN_SCOPE(work, bobbin_tracer_named("consumer"), "from outside");
        bobbin_span_set_string(&work.span, bobbin_lit("k"), bobbin_cstr("v"));
    }
    if (bobbin_shutdown(10000) != BOBBIN_OK) {
        return 2;
    }
    bobbin_stats_read(&stats);
    return stats.exported == 1 ? 0 : 3;
}
