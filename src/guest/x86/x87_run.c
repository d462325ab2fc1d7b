/* The helpers that execute x87 instructions. */
#include <string.h>

#include "guest/x86/block.h"
#include "guest/x86/flags.h"
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"

/* The pointers of SDM 1 8.1.8, which every instruction but the control ones leaves. */
static void note(struct x86_state *s, uint64_t what, uint64_t offset)
{
    bool selectors = s->model->vendor == X86_VENDOR_AMD;
    s->fpop = (uint16_t)X87_WHAT_OPCODE(what);
    s->fpip = s->mode & X86_KEY_CODE64 ? s->pc : (uint32_t)(s->pc - s->seg[X86_CS].base);
    s->fpcs = selectors ? s->seg[X86_CS].selector : 0;
    if (what & X87_WHAT_MEMORY) {
        s->fpdp = offset;
        s->fpds = selectors ? s->seg[X87_WHAT_SEG(what)].selector : 0;
    }
}

/* The instruction is complete and has left an exception pending: leaves the block behind it. What
 * the lifter has put after the helper is not done. */
static void leave_pending(struct nw_vcpu *vcpu, uint64_t what)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t next = s->pc + X87_WHAT_LENGTH(what);
    s->pc = s->mode & X86_KEY_CODE64 ? next : (uint32_t)next;
    vcpu->leave = VCPU_LEAVE_STATE;
}

static bool is_fcmov(uint64_t what)
{
    unsigned opcode = X87_WHAT_OPCODE(what), first = opcode >> 8;
    return !(what & X87_WHAT_MEMORY) && (first == 2 || first == 3) && (opcode & 0xff) < 0xe0;
}

/* EFLAGS under which FCMOV finds what TRUTH says: da has the conditions, db their negations. */
static uint32_t fcmov_flags(unsigned opcode, uint32_t truth)
{
    bool set = opcode >> 8 == 2 ? truth : !truth;
    return set ? X86_CF | X86_ZF | X86_PF : 0;
}

static uint64_t execute(struct x86_state *s, uint64_t what, void *operand, uint32_t flags)
{
    unsigned opcode = X87_WHAT_OPCODE(what);
    struct x87_image image;
    uint64_t eflags;

    x87_to_image(s, &image);
    eflags = x87_execute(&image, opcode, operand, is_fcmov(what) ? fcmov_flags(opcode, flags) : 0);
    x87_from_image(s, &image);
    return eflags & X86_FLAGS_ARITH;
}

static bool sets_flags(uint64_t what)
{
    unsigned opcode = X87_WHAT_OPCODE(what), r = opcode >> 3 & 7;
    return !(what & X87_WHAT_MEMORY) && opcode >> 8 & 1 && opcode >> 9 & 1 && (r == 5 || r == 6);
}

static bool pushes(uint64_t what)
{
    unsigned opcode = X87_WHAT_OPCODE(what), first = opcode >> 8, r = opcode >> 3 & 7;
    unsigned low = opcode & 0xff;

    if (what & X87_WHAT_MEMORY) /* FLD, FILD, FBLD */
        return (first & 1 && r == 0) || (first == 3 && r == 5) ||
               (first == 7 && (r == 4 || r == 5));
    return first == 1 && (r == 0 || (low >= 0xe8 && low <= 0xee) || low == 0xf2 /* FPTAN */ ||
                          low == 0xf4 /* FXTRACT */ || low == 0xfb /* FSINCOS */);
}

/* The stack of a bare CPU never overflows: as it starts, no register is empty. */
static void make_room(struct x86_state *s)
{
    s->fptag &= (uint16_t) ~(1u << (((s->fpsw >> 11) + 7) & 7));
}

uint64_t x87_run(struct nw_vcpu *vcpu, uint64_t what, uint64_t offset, uint64_t value,
                 uint64_t high)
{
    struct x86_state *s = x86_of(vcpu);
    unsigned opcode = X87_WHAT_OPCODE(what);
    uint32_t flags = (uint32_t)value;
    uint8_t operand[16];

    note(s, what, offset);
    if (s->bare && pushes(what))
        make_room(s);
    memcpy(operand, &value, 8);
    memcpy(operand + 8, &high, 8);
    if (x87_fast(s, opcode, what & X87_WHAT_MEMORY ? operand : NULL, &flags))
        return flags;
    flags = (uint32_t)execute(s, what, operand, flags);
    if (x87_pending(s)) {
        /* AMD's processors set EFLAGS as if the exception were masked; Intel's leave them alone. */
        if (sets_flags(what) && s->model->vendor == X86_VENDOR_AMD)
            x86_eflags_write(s, flags, X86_FLAGS_ARITH);
        leave_pending(vcpu, what);
    }
    return flags;
}

/* Executes a store but for its effects on the state, which AFTER shows; false: an exception kept it
 * from storing. */
static bool execute_store(const struct x86_state *s, unsigned opcode, uint8_t *operand,
                          struct x87_image *after)
{
    struct x87_image again;
    uint8_t other[16];

    x87_to_image(s, &again);
    *after = again;
    memset(operand, 0, 16);
    x87_execute(after, opcode, operand, 0);
    if (!(after->sw & X87_ES))
        return true;
    /* It has stored if what was there before makes no difference. */
    memset(other, 0xff, sizeof other);
    x87_execute(&again, opcode, other, 0);
    return memcmp(operand, other, 2) == 0;
}

static bool store_pops(unsigned opcode)
{
    return (opcode >> 3 & 7) != 2; /* FST and FIST */
}

static bool stores80(unsigned opcode)
{
    unsigned first = opcode >> 8, r = opcode >> 3 & 7;
    return (first == 3 && r == 7) || (first == 7 && r == 6);
}

uint64_t x87_store(struct nw_vcpu *vcpu, uint64_t what, uint64_t offset, uint64_t addr,
                   uint64_t memop)
{
    struct x86_state *s = x86_of(vcpu);
    unsigned opcode = X87_WHAT_OPCODE(what);
    struct x87_image after;
    uint8_t operand[16];
    uint64_t value;

    if (x87_fast_store(s, opcode, &value, &s->fpsw_next)) {
        unsigned top = s->fpsw >> 11 & 7;
        s->fptag_next = s->fptag;
        memcpy(&s->fp_high, s->fpr[top] + 8, 2);
        if (store_pops(opcode)) {
            s->fptag_next &= (uint16_t) ~(1u << top);
            s->fpsw_next =
                (uint16_t)((s->fpsw_next & ~X87_TOP) | ((s->fpsw_next + (1u << 11)) & X87_TOP));
        }
        return value;
    }
    if (!execute_store(s, opcode, operand, &after)) {
        /* It would fault all the same. */
        if (!x86_block_probe(vcpu, addr, stores80(opcode) ? 10 : 1, (uint32_t)memop))
            return 0;
        note(s, what, offset);
        x87_from_image(s, &after);
        leave_pending(vcpu, what);
        return 0;
    }
    s->fpsw_next = (uint16_t)after.sw;
    s->fptag_next = x87_tags(after.tw);
    memcpy(&value, operand, 8);
    memcpy(&s->fp_high, operand + 8, 2);
    return value;
}

uint64_t x87_store_high(struct nw_vcpu *vcpu, uint64_t unused1, uint64_t unused2, uint64_t unused3,
                        uint64_t unused4)
{
    (void)unused1, (void)unused2, (void)unused3, (void)unused4;
    return x86_of(vcpu)->fp_high;
}

uint64_t x87_store_done(struct nw_vcpu *vcpu, uint64_t what, uint64_t offset, uint64_t unused1,
                        uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    note(s, what, offset);
    s->fptag = s->fptag_next;
    x87_set_status(s, s->fpsw_next);
    if (x87_pending(s))
        leave_pending(vcpu, what);
    return 0;
}

/* ---- control ---- */

#define CONTROL(name)                                                                              \
    uint64_t name(struct nw_vcpu *vcpu, uint64_t a0, uint64_t unused1, uint64_t unused2,           \
                  uint64_t unused3)

uint64_t x87_load_control(struct nw_vcpu *vcpu, uint64_t what, uint64_t cw, uint64_t unused1,
                          uint64_t unused2)
{
    (void)unused1, (void)unused2;
    x87_set_control(x86_of(vcpu), (unsigned)cw);
    if (x87_pending(x86_of(vcpu)))
        leave_pending(vcpu, what);
    return 0;
}

CONTROL(x87_control)
{
    (void)a0, (void)unused1, (void)unused2, (void)unused3;
    return x86_of(vcpu)->fpcw;
}

CONTROL(x87_status)
{
    (void)a0, (void)unused1, (void)unused2, (void)unused3;
    return x86_of(vcpu)->fpsw;
}

CONTROL(x87_reset)
{
    (void)a0, (void)unused1, (void)unused2, (void)unused3;
    x87_init(x86_of(vcpu));
    return 0;
}

CONTROL(x87_clear)
{
    (void)a0, (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);
    s->fpsw &= (uint16_t) ~(X87_EXCEPTIONS | X87_SF);
    x87_update(s);
    return 0;
}

/* ---- MMX (SDM 1 9.5) ---- */

CONTROL(x87_enter_mmx)
{
    (void)a0, (void)unused1, (void)unused2, (void)unused3;
    x86_of(vcpu)->fpsw &= (uint16_t)~X87_TOP;
    x86_of(vcpu)->fptag = 0xff;
    return 0;
}

CONTROL(x87_leave_mmx)
{
    (void)a0, (void)unused1, (void)unused2, (void)unused3;
    x86_of(vcpu)->fpsw &= (uint16_t)~X87_TOP;
    x86_of(vcpu)->fptag = 0;
    return 0;
}
