#include "guest/x86/repeat.h"

#include <string.h>
#include "guest/x86/segment.h"
#include "guest/x86/undefined.h"
#include "ir/ir.h"
#include "mem/bulk.h"
#include "mem/mem.h"

struct repeat {
    struct nw_vcpu *vcpu;
    struct x86_state *s;
    enum x86_string_kind kind;
    unsigned seg; /* of [SI] */
    uint32_t memop;
    unsigned elem; /* bytes of an element */
    uint64_t mask; /* of addresses and the count */
    bool down;     /* DF */
    bool repne;
    bool stopped;  /* by the condition of REPE and REPNE */
    bool compared; /* A and B are the last operands of a comparison */
    uint64_t a, b;
};

static bool reads_si(const struct repeat *r)
{
    return r->kind == X86_MOVS || r->kind == X86_LODS || r->kind == X86_CMPS;
}

static bool uses_di(const struct repeat *r)
{
    return r->kind != X86_LODS;
}

static bool writes_di(const struct repeat *r)
{
    return r->kind == X86_MOVS || r->kind == X86_STOS;
}

static bool compares(const struct repeat *r)
{
    return r->kind == X86_SCAS || r->kind == X86_CMPS;
}

/* ---- registers ---- */

static uint64_t reg(const struct repeat *r, unsigned n)
{
    return r->s->gpr[n] & r->mask;
}

static void put_reg(struct repeat *r, unsigned n, uint64_t v)
{
    /* 32 bits clear the upper half, 16 keep the rest. */
    uint64_t keep = r->mask == 0xffff ? r->s->gpr[n] & ~r->mask : 0;
    r->s->gpr[n] = keep | (v & r->mask);
}

static void advance(struct repeat *r, uint64_t elements)
{
    uint64_t by = elements * r->elem;
    if (r->down)
        by = -by;
    if (reads_si(r))
        put_reg(r, X86_RSI, reg(r, X86_RSI) + by);
    if (uses_di(r))
        put_reg(r, X86_RDI, reg(r, X86_RDI) + by);
    put_reg(r, X86_RCX, reg(r, X86_RCX) - elements);
}

static uint64_t element_mask(const struct repeat *r)
{
    return UINT64_MAX >> (64 - 8 * r->elem);
}

static void put_accumulator(struct repeat *r, uint64_t v)
{
    uint64_t keep = r->elem < 4 ? r->s->gpr[X86_RAX] & ~element_mask(r) : 0;
    r->s->gpr[X86_RAX] = keep | v;
}

/* ---- addresses ---- */

static bool code64(const struct repeat *r)
{
    return r->s->mode & X86_KEY_CODE64;
}

static uint64_t linear(const struct repeat *r, unsigned seg, uint64_t offset)
{
    if (code64(r))
        return seg == X86_FS || seg == X86_GS ? offset + r->s->seg[seg].base : offset;
    return (uint32_t)(offset + r->s->seg[seg].base);
}

/* Address of one element. False: the segment forbids it and an exception has been recorded. */
static bool address(struct repeat *r, unsigned seg, unsigned n, bool write, uint64_t *out)
{
    uint64_t offset = reg(r, n);
    if (!code64(r)) {
        x86_segment_check(r->vcpu, seg | (write ? 8u : 0) | (uint64_t)r->elem << 16, offset, 0, 0);
        if (r->vcpu->leave != VCPU_LEAVE_NONE)
            return false;
    }
    *out = linear(r, seg, offset);
    return true;
}

/* How many of N elements at register REG lie in one piece: offset and linear address do not wrap,
 * and the segment allows all. May be less than there are. */
static uint64_t in_one_piece(const struct repeat *r, unsigned seg, unsigned n_reg, bool write,
                             uint64_t n)
{
    uint64_t offset = reg(r, n_reg), room = (r->down ? offset : r->mask - offset) / r->elem;
    if (n > room)
        n = room;
    if (n > BULK_MAX / r->elem)
        n = BULK_MAX / r->elem;
    if (n == 0 || code64(r))
        return n;
    uint64_t low = r->down ? offset - (n - 1) * r->elem : offset, size = n * r->elem;
    bool real = !(r->s->mode & X86_KEY_PROT) || r->s->mode & X86_KEY_VM86;
    if (!x86_segment_allows(&r->s->seg[seg], low, (uint32_t)size, write, real))
        return 0;
    return linear(r, seg, low) + size <= 1ull << 32 ? n : 0;
}

/* ---- many elements ---- */

#define SCAN_MAX 1024u /* bytes */

/* How many of the N pairs at A and B are equal (EQUAL) or not, up to the first that is the other.
 * STEP 0: A is one element. */
#define DEFINE_SCAN(bits)                                                                          \
    static uint64_t scan##bits(const void *a, const void *b, uint64_t n, unsigned step,            \
                               bool equal)                                                         \
    {                                                                                              \
        const uint##bits##_t *x = a, *y = b;                                                       \
        uint64_t k = 0;                                                                            \
        while (k < n && (x[k * step] == y[k]) == equal)                                            \
            k++;                                                                                   \
        return k;                                                                                  \
    }
DEFINE_SCAN(8)
DEFINE_SCAN(16)
DEFINE_SCAN(32)
DEFINE_SCAN(64)

static uint64_t element(const struct repeat *r, const uint64_t *at, uint64_t n)
{
    uint64_t v = 0;
    memcpy(&v, (const uint8_t *)at + n * r->elem, r->elem);
    return v;
}

/* Compares SIZE bytes, at least one element; gives the number of elements that were compared. STEP
 * as above. */
static uint64_t scan(struct repeat *r, const uint64_t *a, unsigned step, const uint64_t *b,
                     uint64_t size)
{
    uint64_t elements = size / r->elem, n;
    switch (r->elem) {
    case 1: n = scan8(a, b, elements, step, !r->repne); break;
    case 2: n = scan16(a, b, elements, step, !r->repne); break;
    case 4: n = scan32(a, b, elements, step, !r->repne); break;
    default: n = scan64(a, b, elements, step, !r->repne); break;
    }
    r->stopped = n < elements;
    n += r->stopped;
    r->a = element(r, a, (n - 1) * step);
    r->b = element(r, b, n - 1);
    r->compared = true;
    return n;
}

static uint64_t scan_many(struct repeat *r, uint64_t src, uint64_t dst, uint64_t size)
{
    uint64_t a[SCAN_MAX / 8] = {r->s->gpr[X86_RAX]}, b[SCAN_MAX / 8];
    if (r->down)
        return 0;
    if (size > SCAN_MAX)
        size = SCAN_MAX;
    if (r->kind == X86_CMPS)
        size = mem_bulk_read(r->vcpu, src, a, size, r->memop);
    if (size)
        size = mem_bulk_read(r->vcpu, dst, b, size, r->memop);
    return size ? scan(r, a, r->kind == X86_CMPS, b, size) : 0;
}

/* Does as many elements as possible at once and gives their number. */
static uint64_t many(struct repeat *r)
{
    uint64_t n = reg(r, X86_RCX), src = 0, dst = 0;
    if (reads_si(r)) {
        n = in_one_piece(r, r->seg, X86_RSI, false, n);
        src = linear(r, r->seg, reg(r, X86_RSI));
    }
    if (uses_di(r)) {
        n = in_one_piece(r, X86_ES, X86_RDI, writes_di(r), n);
        dst = linear(r, X86_ES, reg(r, X86_RDI));
    }
    if (n < 2)
        return 0;
    switch (r->kind) {
    case X86_MOVS:
        return mem_bulk_copy(r->vcpu, dst, src, n * r->elem, r->memop, r->down) / r->elem;
    case X86_STOS:
        return mem_bulk_fill(r->vcpu, dst, r->s->gpr[X86_RAX], n * r->elem, r->memop, r->down) /
               r->elem;
    case X86_LODS: return 0;
    default: return scan_many(r, src, dst, n * r->elem);
    }
}

/* ---- one element ---- */

static bool load(struct repeat *r, unsigned seg, unsigned n, uint64_t *v)
{
    uint64_t at;
    if (!address(r, seg, n, false, &at))
        return false;
    *v = mem_load(r->vcpu, at, r->memop);
    return r->vcpu->leave == VCPU_LEAVE_NONE;
}

/* False: an exception has been recorded, nothing is done. */
static bool one(struct repeat *r)
{
    uint64_t a = r->s->gpr[X86_RAX] & element_mask(r), b = 0, at;

    if (compares(r) && !load(r, X86_ES, X86_RDI, &b))
        return false;
    if (reads_si(r) && !load(r, r->seg, X86_RSI, &a))
        return false;
    if (writes_di(r)) {
        if (!address(r, X86_ES, X86_RDI, true, &at))
            return false;
        mem_store(r->vcpu, at, a, r->memop);
        if (r->vcpu->leave != VCPU_LEAVE_NONE)
            return false;
    } else if (r->kind == X86_LODS) {
        put_accumulator(r, a);
    } else {
        r->a = a;
        r->b = b;
        r->stopped = (a == b) == r->repne;
        r->compared = true;
    }
    return true;
}

/* ---- the loop ---- */

/* Something comes between two elements: a request, or a breakpoint that the last one met. */
static bool wanted(const struct repeat *r)
{
    if (r->vcpu->watched && r->s->debug_hits)
        return true;
    return atomic_load_explicit(&r->vcpu->request, memory_order_relaxed) != 0;
}

/* False: an exception has been recorded. */
static bool loop(struct repeat *r, bool one_only)
{
    uint64_t singly = 0, next = 1; /* elements to be done before and after the next try for many */

    while (reg(r, X86_RCX) && !r->stopped) {
        uint64_t n = one_only || singly || r->vcpu->watched ? 0 : many(r);
        if (n) {
            next = 1;
        } else {
            if (!singly) {
                singly = next;
                next = next < PAGE_SIZE_ ? 2 * next : next;
            }
            if (!one(r))
                return false;
            n = 1;
            singly--;
        }
        advance(r, n);
        vcpu_keep(r->vcpu);
        if (one_only || wanted(r))
            break;
    }
    return true;
}

static void put_flags(struct repeat *r)
{
    struct x86_state *s = r->s;
    s->cc_op = X86_CC_SUB + (uint32_t)__builtin_ctz(r->elem);
    s->cc_dst = (r->a - r->b) & element_mask(r);
    s->cc_src = r->b;
}

uint64_t x86_string_repeat(struct nw_vcpu *vcpu, uint64_t what, uint64_t unused1, uint64_t unused2,
                           uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct repeat r = {
        .vcpu = vcpu,
        .s = x86_of(vcpu),
        .kind = X86_STRING_KIND(what),
        .seg = X86_STRING_SEG(what),
        .memop = X86_STRING_MEMOP(what),
        .mask = UINT64_MAX >> (64 - X86_STRING_ADDR(what)),
        .repne = what & X86_STRING_REPNE,
    };
    r.elem = 1u << IR_MEM_SIZE(r.memop);
    r.down = r.s->eflags & X86_DF;
    bool looks = what & X86_STRING_LOOK && reg(&r, X86_RCX);
    bool done = loop(&r, what & X86_STRING_ONE);
    if (r.compared && (done || x86_undefined_of(r.s->model)->compare_fault))
        put_flags(&r);
    return compares(&r) && r.stopped ? 0 : looks || reg(&r, X86_RCX);
}
