/* The x87 environment in memory: FNSTENV, FLDENV, FNSAVE, FRSTOR (SDM 1 8.1.10). */
#include <string.h>

#include "guest/x86/block.h"
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"

/* Seven fields of 16 or 32 bits. The upper halves of 16-bit values are all ones in memory. */
enum { CONTROL, STATUS, TAGS, IP, CS_OPCODE, DP, DS, FIELDS };
#define RESERVED 0xffff0000u

static bool real_format(const struct x86_state *s)
{
    return !(s->mode & X86_KEY_PROT) || s->mode & X86_KEY_VM86;
}

static void pointers(const struct x86_state *s, bool wide, uint32_t *field)
{
    if (!real_format(s)) {
        field[IP] = (uint32_t)s->fpip;
        field[CS_OPCODE] = s->fpcs | (uint32_t)s->fpop << 16;
        field[DP] = (uint32_t)s->fpdp;
        field[DS] = s->fpds | RESERVED;
        return;
    }
    uint32_t ip = (uint32_t)(s->fpcs * 16u + s->fpip), dp = (uint32_t)(s->fpds * 16u + s->fpdp);
    uint32_t upper = wide ? 0xffff : 0xf;
    field[IP] = (ip & 0xffff) | RESERVED;
    field[CS_OPCODE] = (ip >> 16 & upper) << 12 | s->fpop;
    field[DP] = (dp & 0xffff) | RESERVED;
    field[DS] = (dp >> 16 & upper) << 12;
}

static void set_pointers(struct x86_state *s, bool wide, const uint32_t *field)
{
    if (!real_format(s)) {
        s->fpip = field[IP];
        s->fpcs = (uint16_t)field[CS_OPCODE];
        s->fpop = wide ? field[CS_OPCODE] >> 16 & 0x7ff : 0;
        s->fpdp = field[DP];
        s->fpds = (uint16_t)field[DS];
        return;
    }
    s->fpip = (field[IP] & 0xffff) | field[CS_OPCODE] << 4 >> 16 << 16;
    s->fpdp = (field[DP] & 0xffff) | field[DS] << 4 >> 16 << 16;
    s->fpop = field[CS_OPCODE] & 0x7ff;
    s->fpcs = s->fpds = 0;
}

/* Gives the size in bytes. */
static unsigned write_environment(const struct x86_state *s, bool wide, uint8_t *to)
{
    uint32_t field[FIELDS] = {s->fpcw | RESERVED, s->fpsw | RESERVED, x87_tag_word(s) | RESERVED};
    unsigned size = wide ? 4 : 2;
    pointers(s, wide, field);
    for (unsigned n = 0; n < FIELDS; n++)
        memcpy(to + size * n, &field[n], size);
    return size * FIELDS;
}

static unsigned read_environment(struct x86_state *s, bool wide, const uint8_t *from)
{
    uint32_t field[FIELDS] = {0};
    unsigned size = wide ? 4 : 2;
    for (unsigned n = 0; n < FIELDS; n++)
        memcpy(&field[n], from + size * n, size);
    x87_set_control(s, field[CONTROL]);
    x87_set_status(s, field[STATUS]);
    s->fptag = x87_tags(field[TAGS]);
    set_pointers(s, wide, field);
    return size * FIELDS;
}

uint64_t x87_store_environment(struct nw_vcpu *vcpu, uint64_t addr, uint64_t wide, uint64_t memop,
                               uint64_t unused)
{
    (void)unused;
    struct x86_state *s = x86_of(vcpu);
    uint8_t bytes[28];
    struct x86_part all = {0, (uint16_t)write_environment(s, wide, bytes)};
    if (x86_block_store(vcpu, addr, bytes, &all, 1, (uint32_t)memop))
        x87_set_control(s, s->fpcw | X87_EXCEPTIONS);
    return 0;
}

uint64_t x87_load_environment(struct nw_vcpu *vcpu, uint64_t addr, uint64_t wide, uint64_t memop,
                              uint64_t unused)
{
    (void)unused;
    uint8_t bytes[28];
    if (x86_block_load(vcpu, addr, bytes, wide ? 28 : 14, (uint32_t)memop))
        read_environment(x86_of(vcpu), wide, bytes);
    return 0;
}

uint64_t x87_save(struct nw_vcpu *vcpu, uint64_t addr, uint64_t wide, uint64_t memop,
                  uint64_t unused)
{
    (void)unused;
    struct x86_state *s = x86_of(vcpu);
    uint8_t bytes[108];
    unsigned size = write_environment(s, wide, bytes);
    for (unsigned n = 0; n < 8; n++, size += 10)
        memcpy(bytes + size, x87_st(s, n), 10);
    struct x86_part all = {0, (uint16_t)size};
    if (x86_block_store(vcpu, addr, bytes, &all, 1, (uint32_t)memop))
        x87_init(s);
    return 0;
}

uint64_t x87_restore(struct nw_vcpu *vcpu, uint64_t addr, uint64_t wide, uint64_t memop,
                     uint64_t unused)
{
    (void)unused;
    struct x86_state *s = x86_of(vcpu);
    uint8_t bytes[108];
    if (!x86_block_load(vcpu, addr, bytes, wide ? 108 : 94, (uint32_t)memop))
        return 0;
    unsigned size = read_environment(s, wide, bytes);
    for (unsigned n = 0; n < 8; n++, size += 10)
        memcpy(x87_st(s, n), bytes + size, 10);
    return 0;
}
