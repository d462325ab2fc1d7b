/* Exceptions and interrupts on their way to the guest's handlers (SDM 3A chapter 6). */
#ifndef GUEST_X86_EVENT_H
#define GUEST_X86_EVENT_H

#include "guest/x86/state.h"

enum x86_event_source {
    X86_EVENT_FAULT,    /* an exception that may be gone when its instruction runs again */
    X86_EVENT_TRAP,     /* one behind its instruction */
    X86_EVENT_SOFT,     /* INT n, INT3, INTO */
    X86_EVENT_ICEBP,    /* INT1 */
    X86_EVENT_EXTERNAL, /* interrupts, NMI */
};

struct x86_event {
    uint8_t vector;
    uint8_t source; /* enum x86_event_source */
    bool has_error;
    uint32_t error;
    uint64_t cr2;  /* of a page fault */
    uint64_t back; /* linear address where execution goes on */
};

/* Enters the handler (delivery.c). False: an exception is in vcpu->exc, and nothing else has
 * changed. */
bool x86_event_enter(struct nw_vcpu *, const struct x86_event *);

#endif
