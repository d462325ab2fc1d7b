#include "mem/bulk.h"
#include "mem/core.h"

#include <string.h>
#include "ir/ir.h"

/* Host memory for an access that may fail (guarded). Outside the window the TLB knows it. */
struct reach {
    uint8_t *host;  /* of the element at the lowest address */
    uint64_t bytes; /* from there on; 0: none */
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t round_down(uint64_t n, uint64_t elem)
{
    return n & ~(elem - 1);
}

/* Then no element lies on two sides of a page's end, where it could be left half done. */
static bool whole_elements(uint64_t gva, uint64_t elem)
{
    return (gva & (elem - 1)) == 0;
}

/* What of SIZE bytes lies in the page of the first element at GVA. */
static uint64_t in_page(uint64_t gva, uint64_t size, uint64_t elem, bool down)
{
    uint64_t at = gva & (PAGE_SIZE_ - 1);
    uint64_t room = down ? at + elem : PAGE_SIZE_ - at;

    if (at + elem > PAGE_SIZE_)
        return 0;
    return round_down(smaller(room, size), elem);
}

/* The lowest address of SIZE bytes whose first element is at GVA. */
static uint64_t lowest(uint64_t gva, uint64_t size, uint64_t elem, bool down)
{
    return down ? gva - (size - elem) : gva;
}

static bool wants_alignment(uint32_t memop)
{
    return IR_MEM_ALIGN_OF(memop) != 0;
}

static struct reach reach_of(struct nw_vcpu *vcpu, uint64_t gva, uint64_t size, uint32_t memop,
                             bool down, bool write)
{
    const struct mem_space *space = vcpu->mem;
    uint64_t elem = 1u << IR_MEM_SIZE(memop), page = gva & ~(PAGE_SIZE_ - 1);
    struct reach r = {NULL, 0};

    if (size < elem || wants_alignment(memop))
        return r;
    if (vcpu->arena && space_in_window(space, gva, elem)) {
        uint64_t room = down ? gva + elem : space->window - gva;
        r.bytes = round_down(smaller(room, size), elem);
        r.host = vcpu->arena + lowest(gva, r.bytes, elem, down);
        return r;
    }
    if (!space_by_tlb(space, gva))
        return r;
    const struct tlb_entry *e = tlb_find(vcpu, IR_MEM_MMU_OF(memop) % TLB_MMUS, page);
    if (!e || (write ? e->write : e->read) != page)
        return r;
    r.bytes = in_page(gva, size, elem, down);
    if (r.bytes)
        r.host = (uint8_t *)(uintptr_t)(lowest(gva, r.bytes, elem, down) + e->addend);
    return r;
}

/* ---- copying ---- */

/* Bytes of SIZE that the loop copies before it reads what it has written; SIZE when it never does.
 * FIRST_DST and FIRST_SRC: of the first elements. */
static uint64_t independent(const uint8_t *dst, const uint8_t *src, uint64_t size, bool down)
{
    uint64_t ahead = down ? (uint64_t)(src - dst) : (uint64_t)(dst - src);
    return ahead && ahead < size ? ahead : size;
}

/* Fills [DST, DST + SIZE), GAP bytes behind SRC, with copies of what lies between: each round has
 * twice as much to copy. */
static uint64_t copy_onward(uint8_t *dst, const uint8_t *src, uint64_t size, uint64_t gap)
{
    uint64_t done = 0;

    while (done < size) {
        uint64_t part = smaller(gap + done, size - done);
        uint64_t moved = guarded_move(dst + done, src, part, false);
        done += moved;
        if (moved < part)
            break;
    }
    return done;
}

uint64_t mem_bulk_copy(struct nw_vcpu *vcpu, uint64_t dst, uint64_t src, uint64_t size,
                       uint32_t memop, bool down)
{
    uint64_t elem = 1u << IR_MEM_SIZE(memop);
    size = smaller(size, BULK_MAX);
    if (!whole_elements(dst | src, elem))
        size = smaller(in_page(src, size, elem, down), in_page(dst, size, elem, down));
    struct reach from = reach_of(vcpu, src, size, memop, down, false);
    struct reach to = from.bytes ? reach_of(vcpu, dst, from.bytes, memop, down, true) : from;
    if (!to.bytes)
        return 0;

    size = to.bytes;
    if (down) /* the first elements are the last in memory */
        from.host += from.bytes - size;
    uint64_t apart = independent(to.host, from.host, size, down);
    if (apart < elem)
        return 0;
    if (apart < size && !down)
        return round_down(copy_onward(to.host, from.host, size, apart), elem);
    apart = round_down(apart, elem);
    if (down) {
        to.host += size - apart;
        from.host += size - apart;
    }
    return round_down(guarded_move(to.host, from.host, apart, down), elem);
}

/* ---- filling and reading ---- */

uint64_t mem_bulk_fill(struct nw_vcpu *vcpu, uint64_t gva, uint64_t value, uint64_t size,
                       uint32_t memop, bool down)
{
    uint64_t elem = 1u << IR_MEM_SIZE(memop);
    size = smaller(size, BULK_MAX);
    if (!whole_elements(gva, elem))
        size = in_page(gva, size, elem, down);
    struct reach to = reach_of(vcpu, gva, size, memop, down, true);
    if (!to.bytes)
        return 0;
    return round_down(guarded_fill(to.host, value, (unsigned)elem, to.bytes, down), elem);
}

uint64_t mem_bulk_read(struct nw_vcpu *vcpu, uint64_t gva, void *buf, uint64_t size, uint32_t memop)
{
    uint64_t elem = 1u << IR_MEM_SIZE(memop);
    size = in_page(gva, size, elem, false);
    if (!size)
        return 0;
    struct reach from = reach_of(vcpu, gva, size, memop, false, false);
    return from.bytes && guarded_copy(buf, from.host, from.bytes) ? from.bytes : 0;
}
