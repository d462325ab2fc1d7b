/* Segmentation (SDM 3A 3.4, 5.3 ff.). */
#ifndef GUEST_X86_SEGMENT_H
#define GUEST_X86_SEGMENT_H

#include "guest/x86/state.h"

/* Helper: raises #GP or #SS unless the access is allowed. WHAT: enum x86_seg, 8 for a write, size in
 * bytes << 16. */
uint64_t x86_segment_check(struct nw_vcpu *, uint64_t what, uint64_t offset, uint64_t, uint64_t);
/* Is [OFFSET, OFFSET + SIZE) inside the segment, and the access of a kind that its type allows? */
bool x86_segment_allows(const struct x86_segment *, uint64_t offset, uint32_t size, bool write,
                        bool real);

/* Recomputes s->mode after anything that enum x86_key_bits depends on has changed. */
void x86_mode_update(struct x86_state *);

#endif
