/* Masked moves and gathers: element by element, each a precise access of its own (SDM 2C, VGATHER,
 * VMASKMOV). They go through helpers, which read and write the register file in the state. */
#include "guest/x86/undefined.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/vector.h"
#include "mem/mem.h"

#include <string.h>

/* ---- masked moves ---- */

/* What a helper is told in one word: register numbers and sizes. */
#define REG(n)      ((n)&15u)
#define MASK(n)     (((n)&15u) << 4)
#define REG_OF(w)   ((w)&15)
#define MASK_OF(w)  ((w) >> 4 & 15)
#define INDEX(n)    (((n)&15u) << 8)
#define INDEX_OF(w) ((w) >> 8 & 15)
#define LOG2(n)     ((n) << 12) /* of the element's bytes */
#define LOG2_OF(w)  ((w) >> 12 & 3)
#define COUNT(n)    ((uint32_t)(n) << 16) /* of elements, 1..32 */
#define COUNT_OF(w) ((w) >> 16 & 63)
#define ILOG2(n)    ((uint32_t)(n) << 22) /* of the index element's bytes */
#define ILOG2_OF(w) ((w) >> 22 & 3)
#define SCALE(n)    ((uint32_t)(n) << 24) /* log2 */
#define SCALE_OF(w) ((w) >> 24 & 3)
#define ADDR32      (1u << 26)            /* sums of addresses are cut to 32 bits */
#define MMU(n)      ((uint32_t)(n) << 27) /* enum x86_mmu */
#define MMU_OF(w)   ((w) >> 27 & 3)
#define LINEAR32    (1u << 29) /* linear addresses are cut to 32 bits */
#define KEEPS       (1u << 30) /* masks of elements not reached stay as they are */

static uint32_t memop_of(uint64_t what)
{
    return (uint32_t)LOG2_OF(what) | IR_MEM_MMU(MMU_OF(what));
}

static bool is_set(const uint8_t *mask, unsigned n, unsigned log2)
{
    return mask[((n + 1u) << log2) - 1] & 0x80;
}

static uint64_t element_at(uint64_t addr, unsigned n, uint64_t what)
{
    addr += (uint64_t)n << LOG2_OF(what);
    return what & LINEAR32 ? (uint32_t)addr : addr;
}

static uint64_t masked_load(struct nw_vcpu *vcpu, uint64_t addr, uint64_t what, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    unsigned log2 = LOG2_OF(what);
    uint8_t out[32] = {0};

    for (unsigned n = 0; n < COUNT_OF(what); n++) {
        if (!is_set(s->ymm[MASK_OF(what)], n, log2))
            continue;
        uint64_t v = mem_load(vcpu, element_at(addr, n, what), memop_of(what));
        if (vcpu->leave)
            return 0;
        memcpy(out + (n << log2), &v, 1u << log2);
    }
    memcpy(s->ymm[REG_OF(what)], out, sizeof out);
    return 0;
}

/* Faults are found before anything is stored. */
static uint64_t masked_store(struct nw_vcpu *vcpu, uint64_t addr, uint64_t what, uint64_t unused1,
                             uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    const uint8_t *mask = s->ymm[MASK_OF(what)], *from = s->ymm[REG_OF(what)];
    unsigned log2 = LOG2_OF(what), count = COUNT_OF(what);

    /* MASKMOVDQU checks the address even where it stores nothing. */
    if (log2 == 0 && !x86_linear_ok(s, addr, 1)) {
        mem_raise(vcpu, addr, 16, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED);
        return 0;
    }
    for (unsigned n = 0; n < count; n++)
        if (is_set(mask, n, log2) &&
            !mem_probe(vcpu, element_at(addr, n, what), memop_of(what) | IR_MEM_RMW))
            return 0;
    for (unsigned n = 0; n < count && !vcpu->leave; n++) {
        uint64_t v = 0;
        memcpy(&v, from + (n << log2), 1u << log2);
        if (is_set(mask, n, log2))
            mem_store(vcpu, element_at(addr, n, what), v, memop_of(what));
    }
    return 0;
}

static uint32_t common(struct x86_lift *l)
{
    return MMU(IR_MEM_MMU_OF(l->mmu)) | (x86_addr_bits(l) == 64 ? 0 : ADDR32) |
           (l->bits == 64 ? 0 : LINEAR32);
}

/* VMASKMOVPS, VPMASKMOVD and so on; argument: log2 of the element's bytes. */
void x86_vec_maskmov(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper load = {"x86_masked_load", masked_load,
                                          IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    static const struct ir_helper store = {"x86_masked_store", masked_store,
                                           IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    if (!x86_vec_begin(l))
        return;
    bool to_mem = x86_is_mem(i, 0);
    unsigned m = to_mem ? 0 : 2, r = to_mem ? 2 : 0, log2 = i->row->arg;
    unsigned count = (i->op[m].size / 8) >> log2;
    ir_val addr = x86_address(l, &i->op[m], to_mem);
    uint32_t what =
        common(l) | REG(x86_vec_reg(i, r)) | MASK(x86_vec_reg(i, 1)) | LOG2(log2) | COUNT(count);
    /* Not x86_call: the helpers leave the flags alone. */
    ir_call(l->b, to_mem ? &store : &load, addr, ir_const32(l->b, what), IR_NONE, IR_NONE);
}

/* MASKMOVDQU: bytes to DS:rDI. */
void x86_maskmovdqu(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper store = {"x86_masked_store", masked_store,
                                           IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    if (!x86_vec_begin(l))
        return;
    ir_val addr = x86_address(l, &i->op[2], true);
    uint32_t what =
        common(l) | REG(x86_vec_reg(i, 0)) | MASK(x86_vec_reg(i, 1)) | LOG2(0) | COUNT(16);
    ir_call(l->b, &store, addr, ir_const32(l->b, what), IR_NONE, IR_NONE);
}

/* ---- gathers ---- */

/* Element by element: what has been loaded stays, with its mask cleared, when a later one faults.
 */
static uint64_t gather(struct nw_vcpu *vcpu, uint64_t base, uint64_t seg_base, uint64_t what,
                       uint64_t unused)
{
    (void)unused;
    struct x86_state *s = x86_of(vcpu);
    uint8_t *d = s->ymm[REG_OF(what)], *mask = s->ymm[MASK_OF(what)];
    const uint8_t *index = s->ymm[INDEX_OF(what)];
    unsigned log2 = LOG2_OF(what), size = 1u << log2, count = COUNT_OF(what);

    for (unsigned n = 0; n < count && !(what & KEEPS); n++) { /* the mask is its signs */
        bool set = is_set(mask, n, log2);
        memset(mask + n * size, set ? 0xff : 0, size);
    }
    for (unsigned n = 0; n < count; n++) {
        int64_t i64;
        int32_t i32;
        memcpy(&i64, index + n * 8 % 32, 8);
        memcpy(&i32, index + n * 4, 4);
        uint64_t offset = base + ((uint64_t)(ILOG2_OF(what) == 3 ? i64 : i32) << SCALE_OF(what));
        if (what & ADDR32)
            offset = (uint32_t)offset;
        uint64_t addr = what & LINEAR32 ? (uint32_t)(seg_base + offset) : seg_base + offset;
        if (is_set(mask, n, log2)) {
            uint64_t v = mem_load(vcpu, addr, memop_of(what));
            if (vcpu->leave)
                return 0;
            memcpy(d + n * size, &v, size);
            vcpu_keep(vcpu);
        }
        memset(mask + n * size, 0, size);
    }
    memset(mask + count * size, 0, 32 - count * size);
    memset(d + count * size, 0, 32 - count * size);
    return 0;
}

/* Argument: log2 of the element's bytes, that of the index's << 4. */
void x86_gather(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_gather", gather,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 3};
    if (!x86_vec_begin(l))
        return;
    unsigned log2 = i->row->arg & 15, ilog2 = i->row->arg >> 4;
    /* As many as both the destination and the index have. */
    unsigned indices = ZydisRegisterGetClass(i->op[1].mem.index) == ZYDIS_REGCLASS_YMM ? 32 : 16;
    unsigned count = i->op[0].size / 8u >> log2;
    if (count > indices >> ilog2)
        count = indices >> ilog2;
    unsigned d = x86_vec_reg(i, 0), mask = x86_vec_reg(i, 2);
    ZydisDecodedOperand op = i->op[1];
    unsigned index = (unsigned)ZydisRegisterGetId(op.mem.index);
    if (d == mask || d == index || mask == index) {
        x86_undefined(l);
        return;
    }
    op.mem.index = ZYDIS_REGISTER_NONE;
    ir_val base = x86_zext(l, x86_effective(l, &op), x86_addr_bits(l), 64);
    unsigned seg = (unsigned)(op.mem.segment - ZYDIS_REGISTER_ES);
    ir_val seg_base = x86_segment_base64(l, seg);
    uint32_t what = common(l) | REG(d) | MASK(mask) | INDEX(index) | LOG2(log2) | COUNT(count) |
                    ILOG2(ilog2) | SCALE(x86_log2(op.mem.scale ? op.mem.scale : 1)) |
                    (x86_undefined_of(l->model)->gather_keeps ? KEEPS : 0);
    ir_call(l->b, &helper, base, seg_base, ir_const32(l->b, what), IR_NONE);
}
