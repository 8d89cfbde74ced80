/*
 * config_build.h - checks the options of a start and makes a configuration of them.
 */
#ifndef BBC_CONFIG_BUILD_H
#define BBC_CONFIG_BUILD_H

#include "client/client_config.h"

/*
 * BOBBIN_EINVAL  an option is outside its range
 * BOBBIN_ENOMEM  out of memory
 * On BOBBIN_OK the caller frees *out with bbc_config_free, unless it is published.
 */
enum bobbin_err bbc_config_build(const struct bobbin_opts *opts, struct bbc_config **out);
void bbc_config_free(struct bbc_config *config);

/* In a forked child: gives the resource this process's id and a new service.instance.id. */
void bbc_config_name_process(const struct bbc_config *config);

#endif /* BBC_CONFIG_BUILD_H */
