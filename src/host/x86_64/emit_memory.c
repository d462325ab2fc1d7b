/* Guest memory accesses: base + address with fastmem, else through the software TLB; whatever is
 * not plain memory goes to the cold stub. */
#include <stddef.h>
#include "host/x86_64/emit.h"
#include "ir/shape.h"

struct access {
    ir_val base_val;
    unsigned base; /* REG_NONE: the address is the constant DISP */
    /* register of the guest address, without DISP */
    int32_t disp;
    struct x_mem at; /* host operand */
    struct stub *stub;
    unsigned index; /* BASE is this register << SCALE, REG_NONE: not known */
    unsigned scale;
    unsigned temps[2];
    bool wide;   /* 64-bit guest addresses */
    bool beyond; /* at the place for bases outside the window: through the TLB */
};

static bool fast(const struct host_emitter *e)
{
    return e->opt->fastmem;
}

void split_address(struct host_emitter *e, ir_val v, ir_val *base, int32_t *disp)
{
    const struct ir_insn *i = insn_of(e, v);
    *base = v;
    *disp = 0;
    if (e->values.at[v].flags & VAL_FUSED) {
        *base = i->a;
        *disp = (int32_t)insn_of(e, i->b)->b;
    }
}

static bool is_atomic(const struct ir_insn *i)
{
    return i->op != IR_ld && i->op != IR_st;
}

/* Atomics are aligned here in any case: a locked access over two cache lines is trapped by some
 * hosts, and always slow. */
static uint32_t align_mask(const struct ir_insn *i)
{
    uint32_t required = IR_MEM_ALIGN_OF(i->aux), size = IR_MEM_SIZE(i->aux);
    return (1u << (is_atomic(i) && size > required ? size : required)) - 1;
}

/* The same base has passed a check, or will have once this one is done: when it FAULTS otherwise.
 */
static bool known_aligned(struct host_emitter *e, const struct access *m, uint32_t mask,
                          bool faults)
{
    if (m->base == REG_NONE)
        return true;
    if (m->disp & (int32_t)mask)
        return false;
    for (unsigned n = 0; n < ARRAY_LEN(e->aligned) && n < e->naligned; n++)
        if (e->aligned[n].base == m->base_val && (e->aligned[n].mask & mask) == mask)
            return true;
    if (!faults)
        return false;
    unsigned n = e->naligned++ % ARRAY_LEN(e->aligned);
    e->aligned[n].base = m->base_val;
    e->aligned[n].mask = mask;
    return false;
}

static void check_alignment(struct host_emitter *e, struct access *m, const struct ir_insn *i)
{
    uint32_t mask = align_mask(i);
    if (mask == 0 || known_aligned(e, m, mask, !is_atomic(i)))
        return;
    if (m->disp & (int32_t)mask) {
        x_lea(&e->a, m->wide ? X_W : 0, m->temps[0], x_at(m->base, m->disp));
        x_test_imm(&e->a, 0, m->temps[0], mask);
    } else {
        x_test_imm(&e->a, 0, m->base, mask);
    }
    stub_jcc(e, m->stub, X_NE);
}

static void jump_to_stub(struct host_emitter *e, struct access *m)
{
    e->a.flags = 0;
    m->stub->from[m->stub->nfrom++] = x_jmp32(&e->a);
}

/* The tag compared is that of the last byte, so that what crosses a page misses. */
static void probe_tlb(struct host_emitter *e, struct access *m, uint32_t memop, bool write)
{
    struct asm_buf *a = &e->a;
    uint32_t w = m->wide ? X_W : 0, mmu = IR_MEM_MMU_OF(memop) % TLB_MMUS;
    int32_t last = m->disp + (1 << IR_MEM_SIZE(memop)) - 1;
    size_t tlb = offsetof(struct nw_vcpu, tlb) + mmu * sizeof(struct tlb_entry[TLB_SIZE]);
    size_t tag =
        tlb + (write ? offsetof(struct tlb_entry, write) : offsetof(struct tlb_entry, read));
    unsigned t = m->temps[0], index = m->temps[1];
    if (e->r->hooked & (write ? 2 : 1)) { /* there are no tags; what follows is not reached */
        jump_to_stub(e, m);
        m->at = x_at(m->base, 0);
        return;
    }
    _Static_assert(sizeof(struct tlb_entry) == 32, "the index is scaled by a shift of 12 - 5");
    if (m->disp) {
        x_lea(a, w, index, x_at(m->base, m->disp));
        x_shift_imm(a, w, X_SHR, index, PAGE_BITS - 5);
    } else {
        x_rorx(a, w, index, m->base, PAGE_BITS - 5);
    }
    x_alu_imm(a, 0, X_AND, index, (TLB_SIZE - 1) << 5);
    x_lea(a, w, t, x_at(m->base, last));
    x_alu_imm(a, w, X_AND, t, -(int32_t)PAGE_SIZE_);
    x_alu_mem(a, X_W, X_CMP, t, x_at_index(RBP, index, 0, (int32_t)tag - VCPU_BIAS));
    stub_jcc(e, m->stub, X_NE);
    x_load(
        a, X_W, index,
        x_at_index(RBP, index, 0, (int32_t)(tlb + offsetof(struct tlb_entry, addend)) - VCPU_BIAS));
    if (m->disp) {
        x_lea(a, w, t, x_at(m->base, m->disp));
        m->at = x_at_index(index, t, 0, 0);
    } else {
        m->at = x_at_index(index, m->base, 0, 0);
    }
}

/* ---- the window of 64-bit guests ---- */

/* V as a sum of a value and a constant. */
static ir_val root_of(const struct host_emitter *e, ir_val v, int64_t *offset)
{
    *offset = 0;
    for (unsigned n = 0; n < 4; n++) {
        const struct ir_insn *i = insn_of(e, v);
        if (i->op != IR_add || i->type != IR_I64 || !is_const(e, i->b))
            break; /* a sum of 32 bits wraps there */
        int64_t c = (int64_t)ir_const_bits(insn_of(e, i->b));
        if (c != (int32_t)c)
            break;
        *offset += c;
        v = i->a;
    }
    return v;
}

/* An upper bound of the significant low bits of V. */
static unsigned bound_of(const struct host_emitter *e, ir_val v, unsigned depth)
{
    const struct ir_insn *i = insn_of(e, v);
    unsigned a, b;
    if (i->op == IR_const)
        return 64 - (unsigned)__builtin_clzll(ir_const_bits(i) | 1);
    if (i->op == IR_ubfx)
        return i->aux >> 8;
    if (ir_result_type(i) == IR_I32 || i->op == IR_zext)
        return 32;
    if (depth == 0)
        return 64;
    switch (i->op) {
    case IR_add:
        a = bound_of(e, i->a, depth - 1);
        b = bound_of(e, i->b, depth - 1);
        a = (a > b ? a : b) + 1;
        return a < 64 ? a : 64;
    case IR_and:
        a = bound_of(e, i->a, depth - 1);
        b = bound_of(e, i->b, depth - 1);
        return a < b ? a : b;
    case IR_shl:
        if (!is_const(e, i->b))
            return 64;
        a = bound_of(e, i->a, depth - 1) + (insn_of(e, i->b)->b & 63);
        return a < 64 ? a : 64;
    default: return 64;
    }
}

static bool below_window(const struct host_emitter *e, ir_val v)
{
    const struct ir_insn *i = insn_of(e, v);
    if (i->op == IR_const)
        return ir_const_bits(i) < e->opt->window;
    unsigned bits = bound_of(e, v, 3);
    return bits < 64 && 1ull << bits <= e->opt->window;
}

/* From an address in the window, so far leads into the window or its guard zones. */
static bool in_guard(int64_t distance)
{
    return distance >= INT32_MIN && distance <= INT32_MAX;
}

static bool window_known(const struct host_emitter *e, const struct access *m)
{
    int64_t offset;
    ir_val root = root_of(e, m->base_val, &offset);
    if (below_window(e, root) && in_guard(offset + m->disp))
        return true;
    for (unsigned n = 0; n < ARRAY_LEN(e->checked) && n < e->nchecked; n++)
        if (e->checked[n].root == root && in_guard(offset + m->disp - e->checked[n].offset))
            return true;
    return false;
}

/* Nothing has been done yet for the current guest instruction, so that it can be run again. */
static bool first_of_insn(const struct host_emitter *e)
{
    if (e->insn == NO_REF)
        return false;
    for (ir_val v = e->insn + 1; v < e->cur; v++)
        if (ir_shapes[insn_of(e, v)->op].effects & (IR_E_FAULT | IR_E_CONTROL) ||
            insn_of(e, v)->op == IR_call)
            return false;
    return true;
}

static bool needs_check(const struct host_emitter *e, const struct access *m)
{
    return fast(e) && m->wide && m->base != REG_NONE && !window_known(e, m);
}

/* Where memory is mapped beyond the window, a base that is there tries the TLB. */
static bool tries_tlb(const struct host_emitter *e, const struct access *m, const struct ir_insn *i)
{
    return needs_check(e, m) && !e->opt->share_checks && !is_atomic(i) &&
           !(type_is_fp(i->type) && i->aux & IR_MEM_BE);
}

/* A base below the window's end is as good as checked with every displacement. When the check is
 * to hold for accesses that follow, the stub never comes back from a failure: either nothing is
 * mapped there, which is a fault, or the instruction is stepped (MEM_BEYOND). */
static void check_window(struct host_emitter *e, struct access *m, const struct ir_insn *i)
{
    if (!needs_check(e, m))
        return;
    x_alu_mem(&e->a, X_W, X_CMP, m->base, state_at((uint32_t)offsetof(struct nw_vcpu, window)));
    if (tries_tlb(e, m, i)) {
        m->stub->beyond = x_jcc32(&e->a, X_AE);
        m->stub->temps[0] = (uint8_t)m->temps[0];
        m->stub->temps[1] = (uint8_t)m->temps[1];
        return;
    }
    stub_jcc(e, m->stub, X_AE);
    if (!e->opt->share_checks || is_const(e, m->base_val) || !first_of_insn(e))
        return;
    m->stub->shared_check = true;
    unsigned n = e->nchecked++ % ARRAY_LEN(e->checked);
    e->checked[n].root = root_of(e, m->base_val, &e->checked[n].offset);
}

/* The base may be a shift whose operand is at hand: the access need not wait for the shift. */
static void find_index(struct host_emitter *e, struct access *m)
{
    const struct ir_insn *i = insn_of(e, m->base_val);
    if (!fast(e) || !m->wide || i->op != IR_shl || i->type != IR_I64 || !is_const(e, i->b))
        return;
    uint32_t where = e->values.at[i->a].where;
    unsigned scale = insn_of(e, i->b)->b;
    if (scale - 1 > 2 || !where || is_const(e, i->a))
        return;
    /* A temporary is only held where the access has others left for itself. */
    uint32_t index = where & -where, left = e->temps & ~e->locked & ~index;
    if (index & e->temps && __builtin_popcount(left) < 3)
        return;
    m->scale = scale;
    m->index = (unsigned)__builtin_ctz(where);
    e->locked |= 1u << m->index;
}

static void fetch_address(struct host_emitter *e, const struct ir_insn *i, struct access *m)
{
    split_address(e, i->a, &m->base_val, &m->disp);
    m->index = REG_NONE;
    m->wide = e->r->addr_type == IR_I64;
    if (fast(e) && is_const(e, m->base_val)) {
        uint64_t addr = ir_const_bits(insn_of(e, m->base_val)) + (uint64_t)m->disp;
        if (!m->wide)
            addr = (uint32_t)addr;
        /* A 32-bit displacement, so that the access has its five bytes. */
        if (addr >= 128 && addr < INT32_MAX && (addr & align_mask(i)) == 0) {
            m->base = REG_NONE;
            m->disp = (int32_t)addr;
            return;
        }
    }
    m->base = ra_use(e, m->base_val);
    find_index(e, m);
}

/* All registers are chosen before: from the first branch to the stub up to where the stub comes
 * back, nothing may be moved, since the stub's way would miss it. */
static void begin_access(struct host_emitter *e, ir_val v, const struct ir_insn *i,
                         struct access *m)
{
    bool unaligned = m->base != REG_NONE && m->disp & (int32_t)align_mask(i);
    if ((!fast(e) && !is_atomic(i)) || tries_tlb(e, m, i)) {
        m->temps[0] = ra_temp(e);
        m->temps[1] = ra_temp(e);
    } else if (fast(e) && unaligned && !(is_atomic(i) && m->temps[0] == RAX)) {
        m->temps[0] = ra_temp(e); /* RAX is free until the comparison */
    }
    m->stub = stub_add(e, STUB_MEMORY, v);
    m->stub->ref[0] =
        (struct stub_ref){.loc = (uint8_t)m->base, .spill = NO_SPILL, .wide = m->wide};
    if (m->base == REG_NONE)
        m->stub->ref[0].bits = (uint32_t)m->disp;
    else
        m->stub->disp = m->disp;
    m->beyond = false;
    if (fast(e) || !is_atomic(i))
        check_alignment(e, m, i);
    check_window(e, m, i);
}

static void locate(struct host_emitter *e, struct access *m, const struct ir_insn *i, bool write)
{
    if (fast(e)) {
        if (m->base == REG_NONE)
            m->at = x_at(R15, m->disp);
        else if (m->index != REG_NONE)
            m->at = x_at_index(R15, m->index, m->scale, m->disp);
        else
            m->at = x_at_index(R15, m->base, 0, m->disp);
        m->at.disp8 = true;
    } else {
        probe_tlb(e, m, i->aux, write);
    }
}

/* An access that may fault in the host, of at least 5 bytes: they must lie within 16 aligned bytes
 * so that they can be replaced atomically (host_site_demote). */
static void begin_site(struct host_emitter *e, struct access *m)
{
    if (!fast(e) || m->beyond)
        return;
    unsigned at = (e->offset + asm_pos(&e->a)) & 15;
    if (at > 11)
        x_nop(&e->a, 16 - at);
    struct host_site site = {.access = asm_pos(&e->a)};
    if (!VEC_PUSH(&e->out->sites, site)) {
        e->oom = true;
        return;
    }
    if (!m->stub->nsites++)
        m->stub->site = e->out->sites.len - 1;
}

static void end_site(struct host_emitter *e, struct access *m)
{
    if (!m->stub->nsites || m->beyond)
        return;
    struct host_site *s = &e->out->sites.at[m->stub->site + m->stub->nsites - 1];
    s->length = (uint8_t)(asm_pos(&e->a) - s->access);
}

static void end_access(struct host_emitter *e, struct access *m, unsigned dst)
{
    e->a.flags = 0; /* the stub does not keep them */
    m->stub->dst = (uint8_t)dst;
    m->stub->resume = asm_pos(&e->a);
    m->stub->live = live_xmm(e, dst);
}

/* ---- loads ---- */

static void load_int(struct host_emitter *e, struct access *m, const struct ir_insn *i, unsigned d)
{
    struct asm_buf *a = &e->a;
    unsigned size = IR_MEM_SIZE(i->aux);
    bool is_signed = i->aux & IR_MEM_SIGNED, be = (i->aux & IR_MEM_BE) && size;
    uint32_t w = is_signed ? width_of(i->type) : 0;
    begin_site(e, m);
    switch (size) {
    case 0: x_rm(a, (is_signed ? 0xbeu | w : 0xb6u) | X_0F, d, m->at); break;
    case 1: x_rm(a, (is_signed && !be ? 0xbfu | w : 0xb7u) | X_0F, d, m->at); break;
    case 2:
        if (be)
            x_rm(a, 0xf0 | X_0F38, d, m->at); /* movbe */
        else
            x_rm(a, is_signed && w ? 0x63u | X_W : 0x8bu, d, m->at);
        break;
    default: x_rm(a, be ? 0xf0u | X_0F38 | X_W : 0x8bu | X_W, d, m->at); break;
    }
    end_site(e, m);
    if (be && size == 1) {
        x_bswap(a, 0, d);
        x_shift_imm(a, 0, is_signed ? X_SAR : X_SHR, d, 16);
        if (w)
            x_rr(a, 0x63 | X_W, d, d);
    } else if (be && size == 2 && is_signed && w) {
        x_rr(a, 0x63 | X_W, d, d);
    }
}

/* What moves between memory and an xmm register. */
static uint8_t moved_type(const struct ir_insn *i)
{
    if (type_is_vec(i->type))
        return i->type;
    return IR_MEM_SIZE(i->aux) == 3 ? IR_F64 : IR_F32;
}

static void load_float(struct host_emitter *e, struct access *m, const struct ir_insn *i,
                       unsigned d)
{
    begin_site(e, m);
    xmm_load(e, moved_type(i), d, m->at);
    end_site(e, m);
}

/* Through a general register where the bytes must be turned. */
static void load_float_be(struct host_emitter *e, struct access *m, const struct ir_insn *i,
                          unsigned d, unsigned t)
{
    bool wide = IR_MEM_SIZE(i->aux) == 3;
    begin_site(e, m);
    x_rm(&e->a, 0xf0 | X_0F38 | (wide ? X_W : 0), t, m->at);
    end_site(e, m);
    v_from_gpr(&e->a, wide, d - XMM(0), t);
}

static void load(struct host_emitter *e, struct access *m, const struct ir_insn *i, unsigned d,
                 unsigned t)
{
    if (d < XMM(0))
        load_int(e, m, i, d);
    else if (t != REG_NONE)
        load_float_be(e, m, i, d, t);
    else
        load_float(e, m, i, d);
}

void emit_ld(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    struct access m;
    if (emit_calls_access(e, i)) {
        emit_call_load(e, v, i);
        return;
    }
    bool turn = type_is_fp(i->type) && i->aux & IR_MEM_BE;
    fetch_address(e, i, &m);
    unsigned d = ra_def(e, v, REG_NONE, 0), t = turn ? ra_temp(e) : REG_NONE;
    begin_access(e, v, i, &m);
    locate(e, &m, i, false);
    load(e, &m, i, d, t);
    end_access(e, &m, d);
    ra_bind(e, v, d);
}

/* ---- stores ---- */

static void store_int(struct host_emitter *e, struct access *m, const struct ir_insn *i, unsigned s)
{
    struct asm_buf *a = &e->a;
    unsigned size = IR_MEM_SIZE(i->aux);
    bool be = (i->aux & IR_MEM_BE) && size;
    begin_site(e, m);
    switch (size) {
    case 0: x_rm(a, 0x88 | X_REG8, s, m->at); break;
    case 1: x_rm(a, (be ? 0xf1u | X_0F38 : 0x89u) | X_66, s, m->at); break;
    case 2: x_rm(a, be ? 0xf1u | X_0F38 : 0x89u, s, m->at); break;
    default: x_rm(a, (be ? 0xf1u | X_0F38 : 0x89u) | X_W, s, m->at); break;
    }
    end_site(e, m);
}

static void store_imm(struct host_emitter *e, struct access *m, const struct ir_insn *i,
                      int32_t imm)
{
    struct asm_buf *a = &e->a;
    begin_site(e, m);
    switch (IR_MEM_SIZE(i->aux)) {
    case 0:
        x_rm_imm(a, 0xc6, 0, m->at, 1);
        asm_u8(a, (unsigned)imm & 0xff);
        break;
    case 1:
        x_rm_imm(a, 0xc7 | X_66, 0, m->at, 2);
        asm_u8(a, (unsigned)imm & 0xff);
        asm_u8(a, (unsigned)imm >> 8 & 0xff);
        break;
    case 2: x_store_imm32(a, 0, m->at, (uint32_t)imm); break;
    default: x_store_imm32(a, X_W, m->at, (uint32_t)imm); break;
    }
    end_site(e, m);
}

/* The store's value as bits in a general register; big-endian floats only. */
static unsigned float_bits(struct host_emitter *e, unsigned s, bool wide)
{
    unsigned t = ra_temp(e);
    v_to_gpr(&e->a, wide, t, s - XMM(0));
    return t;
}

/* From register S; REG_NONE: the value is an immediate. */
static void store(struct host_emitter *e, struct access *m, const struct ir_insn *i, unsigned s)
{
    if (s == REG_NONE) {
        store_imm(e, m, i, (int32_t)ir_const_bits(insn_of(e, i->b)));
    } else if (s >= XMM(0)) {
        begin_site(e, m);
        xmm_store(e, moved_type(i), m->at, s);
        end_site(e, m);
    } else {
        store_int(e, m, i, s);
    }
}

void emit_st(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    struct access m;
    int32_t imm;
    if (emit_calls_access(e, i)) {
        emit_call_store(e, v, i);
        return;
    }
    bool be = i->aux & IR_MEM_BE, by_imm = !be && ra_imm32(e, i->b, &imm) &&
                                           type_is_64(i->type) == (IR_MEM_SIZE(i->aux) == 3);
    fetch_address(e, i, &m);
    unsigned s = by_imm ? REG_NONE : ra_use(e, i->b);
    if (s != REG_NONE && s >= XMM(0) && be)
        s = float_bits(e, s, type_is_64(i->type));
    begin_access(e, v, i, &m);
    m.stub->ref[1] = stub_operand(e, i->b);
    m.stub->source = (uint8_t)s;
    locate(e, &m, i, true);
    store(e, &m, i, s);
    end_access(e, &m, REG_NONE);
}

/* The TLB knows pages in the window too, but those must not be reached without the lock that
 * guards their protection. */
void emit_beyond(struct host_emitter *e, struct stub *s)
{
    const struct ir_insn *i = insn_of(e, s->record);
    struct access m = {.base = s->ref[0].loc,
                       .disp = s->disp,
                       .stub = s,
                       .temps = {s->temps[0], s->temps[1]},
                       .wide = true,
                       .beyond = true};
    if (m.disp) {
        x_lea(&e->a, X_W, m.temps[0], x_at(m.base, m.disp));
        x_alu_mem(&e->a, X_W, X_CMP, m.temps[0],
                  state_at((uint32_t)offsetof(struct nw_vcpu, window)));
        stub_jcc(e, s, X_B);
    }
    probe_tlb(e, &m, i->aux, i->op == IR_st);
    if (i->op == IR_st)
        store(e, &m, i, s->source);
    else
        load(e, &m, i, s->dst, REG_NONE);
    x_jmp_to(&e->a, (int32_t)s->resume);
}

/* ---- atomics ---- */

/* Without fastmem, or on big-endian data, always by the stub. */
static bool atomic_inline(const struct host_emitter *e, const struct ir_insn *i)
{
    return fast(e) && !(i->aux & IR_MEM_BE);
}

/* An instruction with opcode OP for bytes and OP + 1 for the other sizes. */
static void atomic_access(struct host_emitter *e, struct access *m, const struct ir_insn *i,
                          uint32_t op, unsigned reg)
{
    static const uint32_t sized[] = {X_REG8, 1 | X_66, 1, 1 | X_W};
    begin_site(e, m);
    e->a.flags = 0;
    x_rm(&e->a, op + sized[IR_MEM_SIZE(i->aux)], reg, m->at);
    end_site(e, m);
}

static void zero_extend(struct host_emitter *e, const struct ir_insn *i, unsigned r)
{
    switch (IR_MEM_SIZE(i->aux)) {
    case 0: x_movzx8(&e->a, r, r); break;
    case 1: x_rr(&e->a, 0xb7 | X_0F, r, r); break;
    case 2: x_mov(&e->a, 0, r, r); break;
    default: break;
    }
}

#define CMPXCHG (0xb0u | X_0F | X_LOCK)
#define XADD    (0xc0u | X_0F | X_LOCK)
#define XCHG    0x86u /* locked in any case */

void emit_cas(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    struct access m = {.temps = {RAX, REG_NONE}};
    ra_take(e, RAX);
    unsigned expected = ra_use(e, i->b), desired = ra_use(e, i->c);
    fetch_address(e, i, &m);
    begin_access(e, v, i, &m);
    m.stub->ref[1] = stub_operand(e, i->b);
    m.stub->ref[2] = stub_operand(e, i->c);
    if (atomic_inline(e, i)) {
        locate(e, &m, i, true);
        x_mov(&e->a, X_W, RAX, expected);
        atomic_access(e, &m, i, CMPXCHG, desired);
        zero_extend(e, i, RAX);
    } else {
        jump_to_stub(e, &m);
    }
    end_access(e, &m, RAX);
    ra_bind(e, v, RAX);
}

/* One instruction that leaves the old value in the operand's register. No pinned register, since it
 * is written before the access can fault. */
static void exchange_old(struct host_emitter *e, ir_val v, const struct ir_insn *i, uint32_t op)
{
    struct access m = {.temps = {REG_NONE, REG_NONE}};
    unsigned s = ra_use(e, i->b);
    fetch_address(e, i, &m);
    uint32_t avoid = e->pinned | (m.base != REG_NONE ? 1u << m.base : 0);
    unsigned d = ra_def(e, v, ra_reusable(e, i->b), avoid);
    begin_access(e, v, i, &m);
    m.stub->ref[1] = stub_operand(e, i->b);
    if (atomic_inline(e, i)) {
        locate(e, &m, i, true);
        ra_move(e, d, s, i->type);
        atomic_access(e, &m, i, op, d);
        zero_extend(e, i, d);
    } else {
        jump_to_stub(e, &m);
    }
    end_access(e, &m, d);
    ra_bind(e, v, d);
}

/* Nobody wants the old value. */
static void update_only(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_alu op)
{
    struct access m = {.temps = {REG_NONE, REG_NONE}};
    unsigned s = ra_use(e, i->b);
    fetch_address(e, i, &m);
    begin_access(e, v, i, &m);
    m.stub->ref[1] = stub_operand(e, i->b);
    if (atomic_inline(e, i)) {
        locate(e, &m, i, true);
        atomic_access(e, &m, i, ((uint32_t)op << 3) | X_LOCK, s);
    } else {
        jump_to_stub(e, &m);
    }
    end_access(e, &m, REG_NONE);
}

/* The host has no instruction for it: tried until nobody has come in between. */
static void update_loop(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_alu op)
{
    struct ir_insn load = *i;
    struct access m = {.temps = {RAX, REG_NONE}};
    ra_take(e, RAX);
    unsigned s = ra_use(e, i->b);
    fetch_address(e, i, &m);
    unsigned t = ra_temp(e);
    begin_access(e, v, i, &m);
    m.stub->ref[1] = stub_operand(e, i->b);
    if (atomic_inline(e, i)) {
        locate(e, &m, i, true);
        load.aux &= (uint16_t)~IR_MEM_SIGNED;
        load_int(e, &m, &load, RAX);
        uint32_t again = asm_pos(&e->a);
        x_mov(&e->a, X_W, t, RAX);
        x_alu(&e->a, X_W, op, t, s);
        atomic_access(e, &m, i, CMPXCHG, t);
        x_jcc_to(&e->a, X_NE, (int32_t)again);
    } else {
        jump_to_stub(e, &m);
    }
    end_access(e, &m, RAX);
    ra_bind(e, v, RAX);
}

static void update_logic(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_alu op)
{
    if (e->values.at[v].uses)
        update_loop(e, v, i, op);
    else
        update_only(e, v, i, op);
}

void emit_atomic_add(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    exchange_old(e, v, i, XADD);
}

void emit_atomic_and(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    update_logic(e, v, i, X_AND);
}

void emit_atomic_or(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    update_logic(e, v, i, X_OR);
}

void emit_atomic_xor(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    update_logic(e, v, i, X_XOR);
}

void emit_atomic_xchg(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    exchange_old(e, v, i, XCHG);
}

void emit_fence(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)v, (void)i;
    e->a.flags = 0;
    x_rm_imm(&e->a, 0x83 | X_LOCK, X_OR, x_at(RSP, FRAME_RESULT), 1); /* cheaper than mfence */
    asm_u8(&e->a, 0);
}
