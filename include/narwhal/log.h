/* What the engine can tell about its work, given to a sink of the caller's. */
#ifndef NARWHAL_LOG_H
#define NARWHAL_LOG_H

#include <narwhal/narwhal.h>

#ifdef __cplusplus
extern "C" {
#endif

enum nw_log_kind {
    NW_LOG_IN_ASM = 1 << 0,  /* guest code of each block translated */
    NW_LOG_IR = 1 << 1,      /* its IR before and after the passes */
    NW_LOG_OUT_ASM = 1 << 2, /* its host code */
    NW_LOG_EXEC = 1 << 3,    /* each block run (chaining is off while this is on) */
    NW_LOG_INT = 1 << 4,     /* exceptions and interrupts */
    NW_LOG_MMU = 1 << 5,     /* memory faults and TLB fills */
};

/* Caller-owned; the engine holds a pointer. The functions may be called from any vCPU's thread. */
struct nw_log {
    uint32_t kinds; /* enum nw_log_kind */
    /* Whole lines of text about KIND. */
    void (*text)(void *opaque, enum nw_log_kind kind, const char *text, size_t size);
    /* SIZE bytes of machine code (IN_ASM: guest code of ARCH at guest address ADDR under the block's
     * MODE word, OUT_ASM: host code at ADDR). The core makes no text of it; the sink may. */
    void (*code)(void *opaque, enum nw_log_kind kind, nw_arch arch, uint64_t addr, uint32_t mode,
                 const void *bytes, size_t size);
    void *opaque;
};

#ifdef __cplusplus
}
#endif
#endif
