#include "mem/bulk.h"
#include "mem/core.h"

#include <string.h>
#include "ir/ir.h"

/* Host memory for an access that may fail (guarded). Outside the window the TLB knows it. */
struct reach {
    uint8_t *host;  /* of the element at the lowest address; null: none */
    uint64_t bytes; /* from there on */
};

static uint64_t round_down(uint64_t n, uint64_t elem)
{
    return n & ~(elem - 1);
}

/* Bytes of an element never lie on two sides of a page's end: an access over several pages that
 * fails there leaves no element half done. */
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
    return round_down(room < size ? room : size, elem);
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

    if (wants_alignment(memop))
        return r;
    if (vcpu->arena && space_in_window(space, gva, elem)) {
        uint64_t room = down ? gva + elem : space->window - gva;
        r.bytes = round_down(room < size ? room : size, elem);
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
        uint64_t part = gap + done < size - done ? gap + done : size - done;
        if (!guarded_copy(dst + done, src, part))
            break;
        done += part;
    }
    return done;
}

/* Copies between ranges within one page each, or anywhere in the window when they do not overlap:
 * what fails there half done may be done again. */
static uint64_t copy_reach(const struct reach *to, const struct reach *from, uint64_t size,
                           uint64_t elem, bool down)
{
    uint8_t *dst = to->host + (down ? to->bytes - size : 0);
    const uint8_t *src = from->host + (down ? from->bytes - size : 0);
    uint64_t whole = independent(dst, src, size, down);

    if (whole < elem)
        return 0;
    if (whole == size)
        return guarded_move(dst, src, size) ? size : 0;
    if (!down)
        return round_down(copy_onward(dst, src, size, whole), elem);
    whole = round_down(whole, elem);
    return guarded_move(dst + (size - whole), src + (size - whole), whole) ? whole : 0;
}

static bool disjoint(const struct reach *a, const struct reach *b)
{
    return a->host + a->bytes <= b->host || b->host + b->bytes <= a->host;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t mem_bulk_copy(struct nw_vcpu *vcpu, uint64_t dst, uint64_t src, uint64_t size,
                       uint32_t memop, bool down)
{
    uint64_t elem = 1u << IR_MEM_SIZE(memop), done = 0;
    size = smaller(size, BULK_MAX);
    struct reach from = reach_of(vcpu, src, size, memop, down, false);
    if (!from.host)
        return 0;
    struct reach to = reach_of(vcpu, dst, size, memop, down, true);
    if (!to.host)
        return 0;
    size = smaller(from.bytes, to.bytes);
    if (disjoint(&from, &to) && whole_elements(dst | src, elem))
        done = copy_reach(&to, &from, size, elem, down);
    if (done)
        return done;
    size = smaller(in_page(src, size, elem, down), in_page(dst, size, elem, down));
    return size ? copy_reach(&to, &from, size, elem, down) : 0;
}

/* ---- filling and reading ---- */

uint64_t mem_bulk_fill(struct nw_vcpu *vcpu, uint64_t gva, uint64_t value, uint64_t size,
                       uint32_t memop, bool down)
{
    uint64_t elem = 1u << IR_MEM_SIZE(memop);
    size = smaller(size, BULK_MAX);
    struct reach to = reach_of(vcpu, gva, size, memop, down, true);

    if (!to.host)
        return 0;
    if (whole_elements(gva, elem) && guarded_fill(to.host, value, (unsigned)elem, to.bytes))
        return to.bytes;
    uint64_t part = in_page(gva, to.bytes, elem, down);
    uint8_t *at = to.host + (down ? to.bytes - part : 0);
    return part && guarded_fill(at, value, (unsigned)elem, part) ? part : 0;
}

uint64_t mem_bulk_read(struct nw_vcpu *vcpu, uint64_t gva, void *buf, uint64_t size, uint32_t memop)
{
    uint64_t elem = 1u << IR_MEM_SIZE(memop);
    size = in_page(gva, size, elem, false);
    if (!size)
        return 0;
    struct reach from = reach_of(vcpu, gva, size, memop, false, false);
    return from.host && guarded_copy(buf, from.host, from.bytes) ? from.bytes : 0;
}
