/* On a host without a back end only interpreting engines open. */
#include "host/host.h"

struct host_emitter *host_emitter_new(void)
{
    return NULL;
}

void host_emitter_free(struct host_emitter *e)
{
    (void)e;
}

nw_status host_check(void)
{
    return NW_ERR_HOST;
}

nw_status host_emit_runtime(struct host_buffer buf, const struct guest_ops *guest,
                            struct host_runtime *out)
{
    (void)buf, (void)guest, (void)out;
    return NW_ERR_HOST;
}

nw_status host_emit(struct host_emitter *e, const struct guest_ops *guest, const struct ir_region *region,
                    const struct host_options *options, const struct host_runtime *runtime,
                    uint32_t offset, struct host_buffer buf, struct host_code *out)
{
    (void)e, (void)guest, (void)region, (void)options, (void)runtime, (void)offset, (void)buf, (void)out;
    return NW_ERR_HOST;
}

void host_link(const struct host_exit *exit, uint8_t *block_rw, const uint8_t *block_rx, const void *target)
{
    (void)exit, (void)block_rw, (void)block_rx, (void)target;
}

void host_site_demote(const struct host_site *site, uint8_t *block_rw)
{
    (void)site, (void)block_rw;
}

uintptr_t host_context_pc(const void *ucontext)
{
    (void)ucontext;
    return 0;
}

void host_context_set_pc(void *ucontext, uintptr_t pc)
{
    (void)ucontext, (void)pc;
}
