/* The enter and leave thunks, and the slow calls that cold stubs go through. */
#include "host/x86_64/runtime.h"

#include <stddef.h>
#include "exec/hooks.h"
#include "host/x86_64/asm.h"
#include "host/x86_64/constants.h"
#include "mem/mem.h"

const uint8_t pin_regs[NPINREGS] = {RBX, RDI, R12, R13, R14, R8, R9, R10, R11};

static const uint8_t pushed[] = {RBP, RBX, R12, R13, R14, R15};

#define SAVED_REGS 0x7fcfu /* all but rsp, rbp, r15 */

_Static_assert(sizeof(struct hook_frame) <= FRAME_OUTER_LAZY - FRAME_HOOK && FRAME_SIZE % 16 == 8,
               "the frame has room");

struct thunks {
    struct asm_buf a;
    const struct guest_ops *guest;
    struct host_runtime *rt;
    uint32_t settle_in_thunk;
};

static struct x_mem vcpu_at(size_t offset)
{
    return x_at(RBP, (int32_t)offset - VCPU_BIAS);
}

static void push(struct asm_buf *a, unsigned r)
{
    if (r & 8)
        asm_u8(a, 0x41);
    asm_u8(a, 0x50 | (r & 7));
}

static void pop(struct asm_buf *a, unsigned r)
{
    if (r & 8)
        asm_u8(a, 0x41);
    asm_u8(a, 0x58 | (r & 7));
}

static void pin_load(struct thunks *t, unsigned n)
{
    const struct guest_pin *pin = &t->guest->pins[n];
    x_load(&t->a, pin->type == IR_I64 ? X_W : 0, pin_regs[n], vcpu_at(pin->offset));
}

static void pins_move(struct thunks *t, bool load)
{
    for (unsigned n = 0; n < pin_count(t->guest); n++) {
        const struct guest_pin *pin = &t->guest->pins[n];
        x_rm(&t->a, (load ? 0x8bu : 0x89u) | (pin->type == IR_I64 ? X_W : 0), pin_regs[n],
             vcpu_at(pin->offset));
    }
}

static void ldmxcsr(struct asm_buf *a, struct x_mem m)
{
    x_rm(a, 0xae | X_0F, 2, m);
}

static void stmxcsr(struct asm_buf *a, struct x_mem m)
{
    x_rm(a, 0xae | X_0F, 3, m);
}

/* Called from DEPTH bytes below the frame: packs the flags that emit_lazy.c has put off. Keeps all
 * registers but EFLAGS. */
static uint32_t emit_settle(struct thunks *t, int32_t depth)
{
    struct asm_buf *a = &t->a;
    uint32_t at = asm_pos(a), slot = t->guest->flags_offset;
    int32_t flags = FRAME_FLAGS + 8 + depth;
    struct x_mem kind = x_at(RSP, flags + 4), shows = x_at(RSP, flags + 12);
    struct x_mem saved = x_at(RSP, flags + 24);
    if (!slot) {
        asm_u8(a, 0xc3);
        return at;
    }
    x_store(a, X_W, saved, RAX);
    x_alu_mem_imm(a, 0, X_CMP, kind, -1);
    uint8_t *packed = x_jcc8(a, X_E);
    x_load(a, 0, RAX, x_at(RSP, flags));
    x_alu_mem_imm(a, 0, X_CMP, kind, LAZY_SUB);
    uint8_t *sum = x_jcc8(a, X_NE);
    x_alu_mem(a, 0, X_CMP, RAX, x_at(RSP, flags + 8));
    asm_u8(a, 0xf5); /* cmc */
    uint8_t *pack = x_jmp8(a);
    x_here8(a, sum);
    x_alu_mem(a, 0, X_ADD, RAX, x_at(RSP, flags + 8));
    x_here8(a, pack);
    asm_u8(a, 0x9f); /* lahf */
    x_setcc(a, X_O, RAX);
    x_alu_imm(a, 0, X_AND, RAX, 0xc101);
    /* OF in bit 0, CF in 8, ZF in 14, SF in 15 */
    x_store(a, 0, vcpu_at(slot), RAX);
    x_shift_imm(a, 0, X_SHR, RAX, 7);
    x_rm(a, 0x09, RAX, vcpu_at(slot)); /* CF in bit 1 */
    x_shift_imm(a, 0, X_SHR, RAX, 5);
    x_rm(a, 0x09, RAX, vcpu_at(slot)); /* ZF in bit 2, SF in 3 */
    x_alu_mem_imm(a, 0, X_AND, vcpu_at(slot), 15);
    x_here8(a, packed);
    x_load(a, 0, RAX, x_at(RSP, flags + 12));
    x_bt_imm(a, RAX, 8);
    uint8_t *no_carry = x_jcc8(a, X_AE);
    x_load(a, 0, RAX, x_at(RSP, flags + 20));
    x_alu_imm(a, 0, X_AND, RAX, 1);
    x_alu_mem_imm(a, 0, X_AND, vcpu_at(slot), 13);
    x_alu(a, 0, X_ADD, RAX, RAX);
    x_rm(a, 0x09, RAX, vcpu_at(slot));
    x_here8(a, no_carry);
    x_alu_mem_imm(a, 0, X_CMP, shows, 0);
    uint8_t *done = x_jcc8(a, X_E);
    x_alu_mem_imm(a, 0, X_AND, vcpu_at(slot), 3);
    x_load(a, 0, RAX, x_at(RSP, flags + 16));
    x_test(a, 0, RAX, RAX);
    uint8_t *not_zero = x_jcc8(a, X_NE);
    x_alu_mem_imm(a, 0, X_OR, vcpu_at(slot), 4);
    x_here8(a, not_zero);
    x_shift_imm(a, 0, X_SHR, RAX, 28);
    x_alu_imm(a, 0, X_AND, RAX, 8);
    x_rm(a, 0x09, RAX, vcpu_at(slot));
    x_here8(a, done);
    x_store_imm32(a, 0, kind, LAZY_NONE);
    x_store_imm32(a, 0, shows, 0);
    x_load(a, X_W, RAX, saved);
    asm_u8(a, 0xc3);
    return at;
}

static struct x_mem hook_frame(size_t offset)
{
    return x_at(RSP, FRAME_HOOK + (int32_t)offset);
}

/* While translated code runs, a callback that it calls directly has its frame, and flags that are
 * put off can be found. */
static void frame_enter(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    struct x_mem current = vcpu_at(offsetof(struct nw_vcpu, frame));
    struct x_mem lazy = vcpu_at(offsetof(struct nw_vcpu, lazy_flags));
    x_load(a, X_W, RAX, current);
    x_store(a, X_W, hook_frame(offsetof(struct hook_frame, outer)), RAX);
    x_store_imm32(a, 0, hook_frame(offsetof(struct hook_frame, flags)), 0);
    x_lea(a, X_W, RAX, hook_frame(0));
    x_store(a, X_W, current, RAX);
    if (!t->guest->flags_offset)
        return;
    x_load(a, X_W, RAX, lazy);
    x_store(a, X_W, x_at(RSP, FRAME_OUTER_LAZY), RAX);
    x_lea(a, X_W, RAX, x_at(RSP, FRAME_FLAGS));
    x_store(a, X_W, lazy, RAX);
}

/* Through rcx. */
static void frame_leave(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    x_load(a, X_W, RCX, hook_frame(offsetof(struct hook_frame, outer)));
    x_store(a, X_W, vcpu_at(offsetof(struct nw_vcpu, frame)), RCX);
    if (!t->guest->flags_offset)
        return;
    x_load(a, X_W, RCX, x_at(RSP, FRAME_OUTER_LAZY));
    x_store(a, X_W, vcpu_at(offsetof(struct nw_vcpu, lazy_flags)), RCX);
}

/* Makes MXCSR the guest's, and notes whether callbacks need another one: because the modes differ,
 * or because flags are counted. Where there is no code with floating point it stays the caller's.
 * Writing it is slow where that changes it, so it is left as it is when its modes are right and it
 * holds no flag that would be counted as new (host_fp_guests does the same). */
static void mxcsr_enter(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    struct x_mem host = vcpu_at(offsetof(struct nw_vcpu, host_mxcsr));
    struct x_mem counts = vcpu_at(offsetof(struct nw_vcpu, mxcsr_counts));
    uint8_t *right, *known;
    uint32_t unused;
    x_load(a, 0, RCX, counts);
    x_test(a, 0, RCX, RCX);
    unused = x_jcc32(a, X_E);
    stmxcsr(a, host);
    x_load(a, 0, RAX, host);
    x_alu_mem(a, 0, X_XOR, RAX, vcpu_at(offsetof(struct nw_vcpu, mxcsr)));
    x_alu_imm(a, 0, X_OR, RCX, ~0x3f);
    x_alu(a, 0, X_AND, RCX, RAX);
    right = x_jcc8(a, X_E);
    x_load(a, 0, RDX, vcpu_at(offsetof(struct nw_vcpu, fp.flags)));
    x_mov_imm(a, RDI, 0x3d);
    v_rrr(a, 0xf5 | X_0F38 | X_F2, RDI, RDX, RDI); /* pdep */
    if (t->guest->fp_rules == FP_RULES_X86) {
        x_shift_imm(a, 0, X_SHR, RDX, 6);
        x_alu_imm(a, 0, X_AND, RDX, 2);
        x_alu(a, 0, X_OR, RDI, RDX);
    } else {
        x_alu_imm(a, 0, X_OR, RDI, 2); /* DE is nobody's */
    }
    x_not(a, 0, RDI);
    x_test(a, 0, RCX, RDI);
    known = x_jcc8(a, X_E);
    ldmxcsr(a, vcpu_at(offsetof(struct nw_vcpu, mxcsr)));
    x_here8(a, right);
    x_here8(a, known);
    x_alu_imm(a, 0, X_AND, RAX, ~0x3f);
    x_alu_mem(a, 0, X_OR, RAX, counts);
    x_store(a, 0, vcpu_at(offsetof(struct nw_vcpu, mxcsr_switch)), RAX);
    x_store_imm32(a, 0, vcpu_at(offsetof(struct nw_vcpu, mxcsr_live)), 1);
    x_fix32(a, unused, (int32_t)asm_pos(a));
}

/* The exceptions that the guest's instructions left in MXCSR become sticky flags: IE, ZE, OE, UE,
 * PE are the enum fp_flag bits in order once DE is left out, and DE is bit 7. The caller gets its
 * modes back; flags are nobody's across calls. Through rcx and rdx. */
static void mxcsr_leave(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    struct x_mem host = vcpu_at(offsetof(struct nw_vcpu, host_mxcsr));
    struct x_mem flags = vcpu_at(offsetof(struct nw_vcpu, fp.flags)), now = x_at(RSP, FRAME_AUX);
    struct x_mem live = vcpu_at(offsetof(struct nw_vcpu, mxcsr_live));
    x_alu_mem_imm(a, 0, X_CMP, live, 0);
    uint32_t left = x_jcc32(a, X_E);
    stmxcsr(a, now);
    x_load(a, 0, RCX, now);
    x_mov(a, 0, RDX, RCX);
    x_alu_mem(a, 0, X_XOR, RDX, host);
    x_test_imm(a, 0, RDX, ~0x3fu);
    uint8_t *right = x_jcc8(a, X_E);
    ldmxcsr(a, host);
    x_here8(a, right);
    x_alu_mem(a, 0, X_AND, RCX, vcpu_at(offsetof(struct nw_vcpu, mxcsr_counts)));
    uint8_t *none = x_jcc8(a, X_E);
    x_mov_imm(a, RDX, 0x3d);
    v_rrr(a, 0xf5 | X_0F38 | X_F3, RDX, RCX, RDX); /* pext */
    x_rm(a, 0x09, RDX, flags);
    if (t->guest->fp_rules == FP_RULES_X86) {
        x_alu_imm(a, 0, X_AND, RCX, 2);
        x_shift_imm(a, 0, X_SHL, RCX, 6);
        x_rm(a, 0x09, RCX, flags);
    }
    x_here8(a, none);
    x_store_imm32(a, 0, live, 0);
    x_fix32(a, left, (int32_t)asm_pos(a));
}

/* host_enter_fn: rdi = vCPU, rsi = code. */
static void emit_enter(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    t->rt->enter = asm_pos(a);
    for (unsigned n = 0; n < ARRAY_LEN(pushed); n++)
        push(a, pushed[n]);
    x_alu_imm(a, X_W, X_SUB, RSP, FRAME_SIZE);
    x_lea(a, X_W, RBP, x_at(RDI, VCPU_BIAS));
    mxcsr_enter(t);
    x_store_imm32(a, 0, x_at(RSP, FRAME_FLAGS + 4), LAZY_NONE);
    x_store_imm32(a, 0, x_at(RSP, FRAME_FLAGS + 12), 0);
    frame_enter(t);
    x_load(a, X_W, R15, vcpu_at(offsetof(struct nw_vcpu, arena)));
    pins_move(t, true);
    x_jmp_reg(a, RSI);
}

/* rax = the result. */
static void emit_leave(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    t->rt->leave = asm_pos(a);
    pins_move(t, false);
    t->rt->leave_synced = asm_pos(a);
    x_call_to(a, (int32_t)t->rt->settle);
    mxcsr_leave(t);
    v_zeroupper(a); /* so that the host's SSE code is not slowed */
    frame_leave(t);
    x_alu_imm(a, X_W, X_ADD, RSP, FRAME_SIZE);
    for (unsigned n = ARRAY_LEN(pushed); n-- > 0;)
        pop(a, pushed[n]);
    asm_u8(a, 0xc3);
}

/* Offset 0, where an empty entry of the jump cache leads when its zeros match: as a miss. rcx = the
 * entry, whose pc is the target's (emit_exit_ind). */
static void emit_empty(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    x_load(a, X_W, RAX,
           x_at_index(RBP, RCX, 3, (int32_t)offsetof(struct nw_vcpu, jumps[0].pc) - VCPU_BIAS));
    x_store(a, t->guest->addr_type == IR_I64 ? X_W : 0, vcpu_at(t->guest->pc_offset), RAX);
    x_alu(a, 0, X_XOR, RAX, RAX);
    x_jmp_to(a, 0);
}

/* Called; changes nothing but the frame and the vCPU's copy of pinned slots. */
static void emit_save(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    t->rt->save = asm_pos(a);
    for (unsigned r = 0; r < 16; r++)
        if (SAVED_REGS >> r & 1)
            x_store(a, X_W, x_at(RSP, 8 + FRAME_REGS + 8 * (int32_t)r), r);
    pins_move(t, false);
    asm_u8(a, 0xc3);
}

/* Registers from the frame; PINS too or only the temporaries. */
static void emit_restore(struct thunks *t, bool pins)
{
    /* C has kept the others. */
    uint32_t skip = SAVED_REGS & ~CALLER_SAVED;
    if (!pins)
        for (unsigned n = 0; n < pin_count(t->guest); n++)
            skip |= 1u << pin_regs[n];
    for (unsigned r = 0; r < 16; r++)
        if ((SAVED_REGS & ~skip) >> r & 1)
            x_load(&t->a, X_W, r, x_at(RSP, 8 + FRAME_REGS + 8 * (int32_t)r));
    if (!pins)
        pins_move(t, true);
}

static void call_c(struct asm_buf *a)
{
    v_zeroupper(a);
    x_alu_imm(a, X_W, X_SUB, RSP, 8);
    x_call_reg(a, RAX);
    x_alu_imm(a, X_W, X_ADD, RSP, 8);
}

static void leave_if_asked(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    x_alu_mem_imm(a, 0, X_CMP, vcpu_at(offsetof(struct nw_vcpu, leave)), 0);
    uint8_t *stay = x_jcc8(a, X_E);
    x_alu_imm(a, X_W, X_ADD, RSP, 8); /* the return address */
    x_rr(a, 0x33, RAX, RAX);
    x_jmp_to(a, (int32_t)t->rt->leave_synced);
    x_here8(a, stay);
}

/* The stub's address in the frame is 8 further inside a thunk. */
static struct x_mem frame_in_thunk(int32_t offset)
{
    return x_at(RSP, offset + 8);
}

/* Exchanges the pc and aux slots with the frame's, through r10 and r11. Not by XCHG, which locks.
 */
static void exchange_pc(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    uint32_t w = t->guest->addr_type == IR_I64 ? X_W : 0;
    x_load(a, X_W, R10, frame_in_thunk(FRAME_PC));
    x_load(a, w, R11, vcpu_at(t->guest->pc_offset));
    x_store(a, w, vcpu_at(t->guest->pc_offset), R10);
    x_store(a, X_W, frame_in_thunk(FRAME_PC), R11);
    if (t->guest->aux_offset == UINT32_MAX)
        return;
    x_load(a, 0, R10, frame_in_thunk(FRAME_AUX));
    x_load(a, 0, R11, vcpu_at(t->guest->aux_offset));
    x_store(a, 0, vcpu_at(t->guest->aux_offset), R10);
    x_store(a, 0, frame_in_thunk(FRAME_AUX), R11);
}

/* rsi.. = the arguments, rax = pc, r9 = aux word. The slots of pc and aux show the instruction
 * during the access and when it fails, and are as before otherwise. Flags that are put off stay so:
 * a callback that asks has them (host_settle). */
static uint32_t emit_memory_call(struct thunks *t, uintptr_t fn)
{
    struct asm_buf *a = &t->a;
    uint32_t at = asm_pos(a);
    x_store(a, X_W, frame_in_thunk(FRAME_PC), RAX);
    x_store(a, X_W, frame_in_thunk(FRAME_AUX), R9);
    exchange_pc(t);
    x_lea(a, X_W, RDI, vcpu_at(0));
    x_mov_imm(a, RAX, fn);
    call_c(a);
    leave_if_asked(t);
    x_store(a, X_W, frame_in_thunk(FRAME_RESULT), RAX);
    exchange_pc(t);
    emit_restore(t, true);
    asm_u8(a, 0xc3);
    return at;
}

/* rax = function, rsi.. = the arguments; rdi is set here. */
static uint32_t emit_helper_call(struct thunks *t, bool exits, bool writes, size_t first)
{
    struct asm_buf *a = &t->a;
    uint32_t at = asm_pos(a);
    x_call_to(a, (int32_t)t->settle_in_thunk);
    x_lea(a, X_W, RDI, vcpu_at(first));
    call_c(a);
    if (exits)
        leave_if_asked(t);
    x_store(a, X_W, frame_in_thunk(FRAME_RESULT), RAX);
    emit_restore(t, !writes);
    asm_u8(a, 0xc3);
    return at;
}

/* Behind a call in a thunk: registers that C has changed. */
static void reload_pins(struct thunks *t)
{
    for (unsigned n = 0; n < pin_count(t->guest); n++)
        if (CALLER_SAVED >> pin_regs[n] & 1)
            pin_load(t, n);
    asm_u8(&t->a, 0xc3);
}

/* Called: rcx = a struct hook_site; temporaries are free. */
static uint32_t emit_hook_call(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    uint32_t at = asm_pos(a);
    pins_move(t, false);
    x_mov(a, X_W, RSI, RCX);
    x_lea(a, X_W, RDI, vcpu_at(0));
    x_load(a, X_W, RAX, vcpu_at(offsetof(struct nw_vcpu, hook_call)));
    call_c(a);
    leave_if_asked(t);
    reload_pins(t);
    return at;
}

/* Called behind a direct call that has changed something; the pins are in the vCPU. */
static uint32_t emit_hook_after(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    uint32_t at = asm_pos(a);
    x_lea(a, X_W, RDI, vcpu_at(0));
    x_lea(a, X_W, RSI, frame_in_thunk(FRAME_HOOK));
    x_load(a, X_W, RAX, vcpu_at(offsetof(struct nw_vcpu, hook_after)));
    call_c(a);
    leave_if_asked(t);
    asm_u8(a, 0xc3);
    return at;
}

/* Jumped to: esi = kind, edx = payload; pinned registers live. */
static void emit_raise(struct thunks *t)
{
    struct asm_buf *a = &t->a;
    t->rt->raise = asm_pos(a);
    pins_move(t, false);
    x_lea(a, X_W, RDI, vcpu_at(0));
    x_mov_imm(a, RAX, (uintptr_t)vcpu_raise);
    x_call_reg(a, RAX);
    x_rr(a, 0x33, RAX, RAX);
    x_jmp_to(a, (int32_t)t->rt->leave_synced);
}

static void emit_constants(struct thunks *t, const uint8_t *rx)
{
    struct host_constants values = HOST_CONSTANTS;
    values.code = (uintptr_t)rx;
    while (asm_pos(&t->a) % 16)
        asm_u8(&t->a, 0xcc);
    t->rt->constants = asm_pos(&t->a);
    memcpy(t->a.p, &values, sizeof values);
    t->a.p += sizeof values;
}

nw_status host_emit_runtime(struct host_buffer buf, const struct guest_ops *guest,
                            struct host_runtime *rt)
{
    struct thunks t = {{buf.rw, buf.rw, buf.rw + buf.size, 0}, guest, rt, 0};
    if (buf.size < 4096)
        return NW_ERR_RANGE;
    *rt = (struct host_runtime){0};
    emit_empty(&t);
    uint32_t to_leave = asm_pos(&t.a) - 4;
    rt->settle = emit_settle(&t, 0);
    t.settle_in_thunk = emit_settle(&t, 8);
    emit_enter(&t);
    emit_leave(&t);
    x_fix32(&t.a, to_leave, (int32_t)rt->leave);
    emit_save(&t);
    rt->load = emit_memory_call(&t, (uintptr_t)mem_load);
    rt->store = emit_memory_call(&t, (uintptr_t)mem_store);
    rt->load_wide = emit_memory_call(&t, (uintptr_t)mem_load_wide);
    rt->store_wide = emit_memory_call(&t, (uintptr_t)mem_store_wide);
    rt->cas = emit_memory_call(&t, (uintptr_t)mem_cas);
    rt->rmw = emit_memory_call(&t, (uintptr_t)mem_rmw);
    for (unsigned n = 0; n < 4; n++)
        rt->call[n] = emit_helper_call(&t, n & 1, n & 2, 0);
    rt->hook = emit_hook_call(&t);
    rt->hook_after = emit_hook_after(&t);
    rt->soft = emit_helper_call(&t, false, false, offsetof(struct nw_vcpu, fp));
    emit_raise(&t);
    emit_constants(&t, buf.rx);
    while (asm_pos(&t.a) % 64)
        asm_u8(&t.a, 0xcc);
    rt->size = asm_pos(&t.a);
    return NW_OK;
}
