/* Private to `narwhal explain`: one block in its three forms, side by side. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "host/host.h"
#include "trace/listing.h"

struct explain_view {
    FILE *out;
    struct listing *listing;
    const struct guest_ops *guest;
    bool colour;
};

/* Prints REGION (passes run) whose guest bytes are GUEST_CODE and whose host code is at HOST. */
void explain_block(const struct explain_view *, const struct ir_region *region,
                   const uint8_t *guest_code, const uint8_t *host, const struct host_code *code);

#endif
