#include "guest/x86/debug.h"

#include "guest/x86/segment.h"
#include "guest/x86/system.h"

/* R/W fields of DR7. */
enum condition { BREAK_FETCH, BREAK_WRITE, BREAK_IO, BREAK_ACCESS };

#define DR6_FIXED    0xffff0ff0u
#define DR6_WRITABLE 0x0000e00fu
#define DR7_FIXED    0x00000400u
#define DR7_WRITABLE 0xffff23ffu

static bool enabled(const struct x86_state *s, unsigned n)
{
    return s->dr[7] >> 2 * n & 3;
}

static enum condition condition_of(const struct x86_state *s, unsigned n)
{
    return (enum condition)(s->dr[7] >> (16 + 4 * n) & 3);
}

static unsigned length_of(const struct x86_state *s, unsigned n)
{
    static const uint8_t length[] = {1, 2, 8, 4};
    return length[s->dr[7] >> (18 + 4 * n) & 3];
}

void x86_debug_changed(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);

    vcpu->watched = false;
    for (unsigned n = 0; n < 4; n++) {
        enum condition c = condition_of(s, n);
        if (enabled(s, n) && (c == BREAK_WRITE || c == BREAK_ACCESS))
            vcpu->watched = true;
    }
    x86_mode_update(s);
}

uint64_t x86_debug_fetch(struct nw_vcpu *vcpu, uint64_t armed, uint64_t unused1, uint64_t unused2,
                         uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);
    uint32_t hits = 0;

    if (s->inhibit == X86_INHIBIT_SS)
        return 0;
    s->debug_hits = 0;
    if (!armed)
        return 0;
    for (unsigned n = 0; n < 4; n++)
        if (enabled(s, n) && condition_of(s, n) == BREAK_FETCH && s->dr[n] == s->pc)
            hits |= 1u << n;
    if (hits) {
        s->dr[6] = (s->dr[6] & ~(uint64_t)15) | hits;
        x86_raise(vcpu, X86_DB, 0);
    }
    return 0;
}

static void note(struct x86_state *s, unsigned n, uint64_t at, unsigned size)
{
    unsigned length = length_of(s, n);
    uint64_t first = s->dr[n] & ~(uint64_t)(length - 1);

    if (at < first + length && first < at + size)
        s->debug_hits |= 1u << n;
}

void x86_debug_access(struct nw_vcpu *vcpu, uint64_t linear, unsigned size, bool write)
{
    struct x86_state *s = x86_of(vcpu);

    for (unsigned n = 0; n < 4; n++) {
        enum condition c = condition_of(s, n);
        if (enabled(s, n) && (c == BREAK_ACCESS || (c == BREAK_WRITE && write)))
            note(s, n, linear, size);
    }
}

void x86_debug_io(struct nw_vcpu *vcpu, uint16_t port, unsigned size)
{
    struct x86_state *s = x86_of(vcpu);

    for (unsigned n = 0; n < 4 && s->cr4 & X86_CR4_DE; n++)
        if (enabled(s, n) && condition_of(s, n) == BREAK_IO)
            note(s, n, port, size);
}

void x86_debug_stepped(struct nw_vcpu *vcpu, struct block_key key)
{
    struct x86_state *s = x86_of(vcpu);
    uint32_t hits = key.mode & X86_KEY_BREAK ? s->debug_hits : 0;
    bool step = key.mode & X86_KEY_TF && !s->step_masked;

    s->step_masked = 0;
    /* What MOV SS puts off stays pending for the instruction after it (SDM 3A 6.8.3). */
    if (s->inhibit == X86_INHIBIT_SS || (!hits && !step))
        return;
    s->debug_hits = 0;
    s->dr[6] = (s->dr[6] & ~(uint64_t)15) | hits | (step ? X86_DR6_BS : 0);
    x86_raise(vcpu, X86_DB, 0);
}

/* ---- the registers ---- */

static bool accessible(struct nw_vcpu *vcpu, unsigned *n)
{
    struct x86_state *s = x86_of(vcpu);

    if (*n == 4 || *n == 5) {
        if (s->cr4 & X86_CR4_DE)
            return x86_fail(vcpu, X86_UD, 0);
        *n += 2;
    }
    if (s->dr[7] & X86_DR7_GD) {
        s->dr[6] |= X86_DR6_BD;
        return x86_fail(vcpu, X86_DB, X86_DB_FAULT);
    }
    return true;
}

bool x86_dr_read(struct nw_vcpu *vcpu, unsigned n, uint64_t *value)
{
    if (!accessible(vcpu, &n))
        return false;
    *value = x86_of(vcpu)->dr[n];
    return true;
}

bool x86_dr_write(struct nw_vcpu *vcpu, unsigned n, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);

    if (!accessible(vcpu, &n))
        return false;
    if (n >= 6 && value >> 32)
        return x86_fail(vcpu, X86_GP, 0);
    if (n == 6)
        value = (value & DR6_WRITABLE) | DR6_FIXED;
    else if (n == 7)
        value = (value & DR7_WRITABLE) | DR7_FIXED;
    s->dr[n] = value;
    x86_debug_changed(vcpu);
    return true;
}
