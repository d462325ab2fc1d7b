#include "ir_stub.h"

#include <stdlib.h>
#include <string.h>
#include "mem/mem.h"

static struct stub *stub_of(struct nw_vcpu *vcpu)
{
    return vcpu->owner;
}

struct stub *stub_new(void)
{
    struct stub *s = aligned_alloc(_Alignof(struct stub), sizeof(struct stub));
    memset(s, 0, sizeof *s);
    s->vcpu.owner = s;
    s->vcpu.mxcsr_counts = 0x3f;
    return s;
}

enum ir_leave stub_run(struct stub *s, const struct ir_region *region)
{
    union ir_vec *slots = calloc(region->insns.len + 1, sizeof *slots);
    s->vcpu.owner = s;
    s->accesses = 0;
    s->vcpu.leave = VCPU_LEAVE_NONE;
    enum ir_leave left = ir_interp(&s->vcpu, region, slots);
    free(slots);
    return left;
}

bool stub_equal(const struct stub *x, const struct stub *y)
{
    return memcmp(x->vcpu.state, y->vcpu.state, VCPU_STATE_SIZE) == 0 &&
           memcmp(&x->vcpu.fp, &y->vcpu.fp, sizeof x->vcpu.fp) == 0 &&
           memcmp(&x->vcpu.exc, &y->vcpu.exc, sizeof x->vcpu.exc) == 0 &&
           x->vcpu.leave == y->vcpu.leave && x->accesses == y->accesses &&
           memcmp(x->memory, y->memory, STUB_MEMORY) == 0;
}

uint32_t stub_word(const struct stub *s, uint32_t offset)
{
    uint32_t word;
    memcpy(&word, s->vcpu.state + offset, 4);
    return word;
}

void vcpu_raise(struct nw_vcpu *vcpu, enum vcpu_exc_kind kind, uint32_t payload)
{
    vcpu->exc = (struct vcpu_exc){.kind = kind, .payload = payload};
    vcpu->leave = VCPU_LEAVE_EXC;
}

static uint8_t *find(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, nw_access access)
{
    struct stub *s = stub_of(vcpu);
    uint32_t size = 1u << IR_MEM_SIZE(memop);
    bool aligned = (gva & ((1u << IR_MEM_ALIGN_OF(memop)) - 1)) == 0;
    s->accesses++;
    if (s->high && gva - STUB_HIGH < STUB_MEMORY && gva - STUB_HIGH + size <= STUB_MEMORY)
        gva -= STUB_HIGH;
    if (aligned && gva + size <= STUB_MEMORY && gva < STUB_MEMORY)
        return (s->instead ? s->instead : s->memory) + gva;
    vcpu_raise(vcpu, EXC_MEM, 0);
    vcpu->exc.addr = gva;
    vcpu->exc.size = size;
    vcpu->exc.access = access;
    return NULL;
}

/* The low bytes of VALUE as memory has them. */
static uint64_t turned(uint64_t value, uint32_t memop)
{
    return memop & IR_MEM_BE ? __builtin_bswap64(value) >> (64 - (8u << IR_MEM_SIZE(memop)))
                             : value;
}

uint64_t mem_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop)
{
    const uint8_t *at = find(vcpu, gva, memop, NW_ACCESS_READ);
    uint64_t value = 0;
    unsigned bits = 8u << IR_MEM_SIZE(memop);
    if (!at)
        return 0;
    memcpy(&value, at, bits / 8);
    value = turned(value, memop);
    if (memop & IR_MEM_SIGNED && bits < 64 && value >> (bits - 1))
        value |= UINT64_MAX << bits;
    return value;
}

void mem_store(struct nw_vcpu *vcpu, uint64_t gva, uint64_t value, uint32_t memop)
{
    uint8_t *at = find(vcpu, gva, memop, NW_ACCESS_WRITE);
    value = turned(value, memop);
    if (at)
        memcpy(at, &value, 1u << IR_MEM_SIZE(memop));
}

void mem_load_wide(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, void *out)
{
    const uint8_t *at = find(vcpu, gva, memop, NW_ACCESS_READ);
    if (at)
        memcpy(out, at, 1u << IR_MEM_SIZE(memop));
}

void mem_store_wide(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, const void *in)
{
    uint8_t *at = find(vcpu, gva, memop, NW_ACCESS_WRITE);
    if (at)
        memcpy(at, in, 1u << IR_MEM_SIZE(memop));
}

uint64_t mem_rmw(struct nw_vcpu *vcpu, uint64_t gva, uint64_t operand, uint32_t memop, uint32_t op)
{
    uint8_t *at = find(vcpu, gva, memop, NW_ACCESS_WRITE);
    uint64_t old = 0, v;
    unsigned size = 1u << IR_MEM_SIZE(memop);
    if (!at)
        return 0;
    memcpy(&old, at, size);
    old = turned(old, memop);
    v = op == IR_atomic_add   ? old + operand
        : op == IR_atomic_and ? old & operand
        : op == IR_atomic_or  ? old | operand
        : op == IR_atomic_xor ? old ^ operand
                              : operand;
    v = turned(v, memop);
    memcpy(at, &v, size);
    return old;
}

uint64_t mem_cas(struct nw_vcpu *vcpu, uint64_t gva, uint64_t expected, uint64_t desired,
                 uint32_t memop)
{
    uint8_t *at = find(vcpu, gva, memop, NW_ACCESS_WRITE);
    uint64_t old = 0;
    unsigned size = 1u << IR_MEM_SIZE(memop);
    if (!at)
        return 0;
    memcpy(&old, at, size);
    expected = turned(expected, memop);
    desired = turned(desired, memop);
    if (memcmp(at, &expected, size) == 0)
        memcpy(at, &desired, size);
    return turned(old, memop);
}
