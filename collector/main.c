/*
 * main.c - the program bobbind: settings, signals, exit codes.
 *
 *   0  stopped by SIGTERM or SIGINT, drained
 *   1  could not start, or could not stop cleanly
 *   2  a mistake in the settings
 *
 * The first SIGTERM or SIGINT starts the drain; a second one, or BB_STOP_S_MAX seconds, end the
 * process at once with 1. All that was acknowledged is in the log even then.
 */
#include <errno.h>
#include <malloc.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/config.h"
#include "collector/daemon.h"
#include "collector/version.h"
#include "common/limits.h"
#include "common/log.h"

/* Blocks from here on are given back to the system when they are freed. Left alone, glibc raises
 * this bound with the first large request and keeps what the next ones free: at rest after some of
 * 60 MB the process held 490 MB rather than 184, and 681 rather than 409 at its peak. */
#define MMAP_BYTES_MIN (4 << 20)

#define OUTPUT_BYTES_MAX (256u << 10) /* of --help and --print-config */

/* Posted by the first signal. sem_post and _exit are async-signal-safe (POSIX, 2.4.3). */
static sem_t stop_requested;
static atomic_int signal_count; /* two threads may each be handling one */

static void end_at_once(const char *why, size_t size)
{
    ssize_t ignored = write(STDERR_FILENO, why, size);

    (void)ignored;
    _exit(1);
}

static void on_stop_signal(int number)
{
    static const char words[] = "bobbind: second signal, ending at once\n";
    int saved_errno = errno; /* of whatever the signal interrupts */

    (void)number;
    if (atomic_fetch_add(&signal_count, 1) > 0) {
        end_at_once(words, sizeof words - 1);
    }
    sem_post(&stop_requested);
    errno = saved_errno;
}

static void on_alarm(int number)
{
    static const char words[] = "bobbind: could not stop in time, ending at once\n";

    (void)number;
    end_at_once(words, sizeof words - 1);
}

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void set_signals(void)
{
    sem_init(&stop_requested, 0, 0);
    set_handler(SIGTERM, on_stop_signal);
    set_handler(SIGINT, on_stop_signal);
    set_handler(SIGALRM, on_alarm);
    set_handler(SIGPIPE, SIG_IGN);
}

/* Connections and the files of a hundred partitions need more than the usual 1,024. */
static void raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* at worst it stays as it is */
    }
}

static int print_and_exit(const struct bb_config *config)
{
    struct bb_buf out;
    int exit_code = 1;

    bb_buf_init(&out, OUTPUT_BYTES_MAX);
    switch (config->action) {
    case BB_ACTION_HELP:
        bb_config_print_help(&out);
        break;
    case BB_ACTION_VERSION:
        bb_buf_printf(&out, "bobbind %s (commit %s, built %s, format %d)\n",
                      bb_version_of_build.version, bb_version_of_build.git_commit,
                      bb_version_of_build.build_time, bb_version_of_build.store_format);
        break;
    default:
        bb_config_print(config, &out);
        break;
    }
    if (bb_buf_err(&out) == BB_OK && fwrite(out.data, 1, out.size, stdout) == out.size &&
        fflush(stdout) == 0) {
        exit_code = 0;
    }
    bb_buf_dispose(&out);
    return exit_code;
}

static int run(const struct bb_config *config)
{
    static struct bb_daemon daemon;
    struct bb_err_detail detail = {0};

    set_signals();
    raise_fd_limit();
    mallopt(M_MMAP_THRESHOLD, MMAP_BYTES_MIN);
    bb_log_set_level(config->log_level);
    bb_log(BB_LOG_INFO, "main", "starting", "version=%s commit=%s pid=%d memory_limit=%s",
           bb_version_of_build.version, bb_version_of_build.git_commit, (int)getpid(),
           config->settings[BB_OPTION_MEMORY_LIMIT].text);
    if (bb_daemon_start(&daemon, config, &bb_version_of_build, &detail) != BB_OK) {
        fprintf(stderr, "bobbind: %s\n", detail.text);
        return 1;
    }
    while (sem_wait(&stop_requested) != 0 && errno == EINTR) {
    }
    alarm(BB_STOP_S_MAX);
    bb_log(BB_LOG_INFO, "main", "stopping", "");
    if (bb_daemon_stop(&daemon, &detail) != BB_OK) {
        fprintf(stderr, "bobbind: closing the store: %s\n", detail.text);
        return 1;
    }
    bb_log(BB_LOG_INFO, "main", "stopped", "");
    return 0;
}

int main(int argc, char **argv)
{
    struct bb_err_detail detail = {0};
    struct bb_config config;
    enum bb_err err = bb_config_load(argc, argv, environ, &config, &detail);
    int exit_code;

    if (err != BB_OK) {
        fprintf(stderr, "bobbind: %s\n", detail.text[0] == '\0' ? bb_err_text(err) : detail.text);
        return 2;
    }
    exit_code = config.action == BB_ACTION_RUN ? run(&config) : print_and_exit(&config);
    bb_config_dispose(&config);
    return exit_code;
}
