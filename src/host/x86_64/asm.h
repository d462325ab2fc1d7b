/* A compact x86-64 encoder (Intel SDM volume 2). No checks: the caller keeps ASM_SLACK bytes free
 * before each group of instructions. */
#ifndef HOST_X86_64_ASM_H
#define HOST_X86_64_ASM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
#define REG_NONE 0xff

/* Condition codes; cc ^ 1 is the negation. */
enum x_cc {
    X_O,
    X_NO,
    X_B,
    X_AE,
    X_E,
    X_NE,
    X_BE,
    X_A,
    X_S,
    X_NS,
    X_P,
    X_NP,
    X_L,
    X_GE,
    X_LE,
    X_G
};

/* An opcode: byte, map, mandatory prefix and width in one word. */
#define X_0F   0x100u
#define X_0F38 0x200u
#define X_0F3A 0x300u
#define X_66   0x1000u
#define X_F3   0x2000u
#define X_F2   0x3000u
#define X_W    0x4000u  /* 64-bit operands (REX.W, VEX.W) */
#define X_REG8 0x8000u  /* the ModRM.reg operand is a byte register */
#define X_RM8  0x10000u /* the ModRM.rm operand is one, when a register */
#define X_LOCK 0x20000u
#define X_256  0x40000u /* VEX.L: 256 bits */

/* What a two-operand instruction does, as the /digit of group 1 (opcodes 80..83). */
enum x_alu { X_ADD, X_OR, X_ADC, X_SBB, X_AND, X_SUB, X_XOR, X_CMP };
/* Shift group (C0, C1, D0..D3). */
enum x_shift { X_ROL, X_ROR, X_RCL, X_RCR, X_SHL, X_SHR, X_SAL, X_SAR };

struct asm_buf {
    uint8_t *p;     /* next byte */
    uint8_t *start; /* of the block */
    uint8_t *end;   /* one past the room */
    uint32_t flags; /* what EFLAGS hold, an id of the emitter's; cleared by whatever writes them */
};

/* [base + index * (1 << scale) + disp], or [rip + disp] to DISP bytes from the block's start. */
struct x_mem {
    uint8_t base, index, scale;
    bool rip;   /* disp is an offset from the block's start */
    bool disp8; /* a displacement byte even when it is 0 */
    int32_t disp;
};

static inline struct x_mem x_at(unsigned base, int32_t disp)
{
    return (struct x_mem){.base = (uint8_t)base, .index = REG_NONE, .disp = disp};
}
static inline struct x_mem x_at_index(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (struct x_mem){
        .base = (uint8_t)base, .index = (uint8_t)index, .scale = (uint8_t)scale, .disp = disp};
}
static inline struct x_mem x_at_rip(int32_t offset)
{
    return (struct x_mem){.rip = true, .index = REG_NONE, .disp = offset};
}

static inline uint32_t asm_pos(const struct asm_buf *a)
{
    return (uint32_t)(a->p - a->start);
}
static inline void asm_u8(struct asm_buf *a, unsigned v)
{
    *a->p++ = (uint8_t)v;
}
static inline void asm_u32(struct asm_buf *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    a->p += 4;
}
static inline void asm_u64(struct asm_buf *a, uint64_t v)
{
    memcpy(a->p, &v, 8);
    a->p += 8;
}

/* ---- ModRM ---- */

/* IMM is the number of immediate bytes that follow (rip-relative operands count from the end). */
static inline void x_modrm_mem(struct asm_buf *a, unsigned reg, struct x_mem m, unsigned imm)
{
    reg = (reg & 7) << 3;
    if (m.rip) {
        asm_u8(a, 0x05 | reg);
        asm_u32(a, (uint32_t)m.disp - (asm_pos(a) + 4 + imm));
        return;
    }
    bool sib = m.index != REG_NONE || (m.base & 7) == RSP;
    unsigned mod = m.disp == 0 && !m.disp8 && (m.base & 7) != RBP ? 0
                   : m.disp >= -128 && m.disp <= 127              ? 0x40
                                                                  : 0x80;
    asm_u8(a, mod | reg | (sib ? 4u : m.base & 7u));
    if (sib)
        asm_u8(a, (unsigned)m.scale << 6 | (m.index == REG_NONE ? 4u : m.index & 7u) << 3 |
                      (m.base & 7u));
    if (mod == 0x40)
        asm_u8(a, (unsigned)m.disp & 0xff);
    else if (mod == 0x80)
        asm_u32(a, (uint32_t)m.disp);
}

static inline void x_prefixes(struct asm_buf *a, uint32_t op)
{
    static const uint8_t pp[] = {0, 0x66, 0xf3, 0xf2};
    if (op & X_LOCK)
        asm_u8(a, 0xf0);
    if (op & 0x3000)
        asm_u8(a, pp[op >> 12 & 3]);
}

static inline void x_opcode(struct asm_buf *a, uint32_t op)
{
    unsigned map = op >> 8 & 3;
    if (map) {
        asm_u8(a, 0x0f);
        if (map == 2)
            asm_u8(a, 0x38);
        else if (map == 3)
            asm_u8(a, 0x3a);
    }
    asm_u8(a, op & 0xff);
}

/* ---- any legacy instruction with a ModRM byte ---- */

static inline void x_rr(struct asm_buf *a, uint32_t op, unsigned reg, unsigned rm)
{
    x_prefixes(a, op);
    unsigned rex = (op & X_W ? 8u : 0u) | (reg & 8) >> 1 | (rm & 8) >> 3;
    bool low8 = ((op & X_REG8) && reg >= 4) || ((op & X_RM8) && rm >= 4);
    if (rex || low8)
        asm_u8(a, 0x40 | rex);
    x_opcode(a, op);
    asm_u8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void x_rm_imm(struct asm_buf *a, uint32_t op, unsigned reg, struct x_mem m,
                            unsigned imm)
{
    x_prefixes(a, op);
    unsigned rex = (op & X_W ? 8u : 0u) | (reg & 8) >> 1 |
                   (m.index != REG_NONE ? (m.index & 8u) >> 2 : 0u) |
                   (m.rip ? 0 : (m.base & 8) >> 3);
    if (rex || ((op & X_REG8) && reg >= 4))
        asm_u8(a, 0x40 | rex);
    x_opcode(a, op);
    x_modrm_mem(a, reg, m, imm);
}
static inline void x_rm(struct asm_buf *a, uint32_t op, unsigned reg, struct x_mem m)
{
    x_rm_imm(a, op, reg, m, 0);
}

/* ---- any VEX instruction; VVVV is the second operand, 0 where unused ---- */

static inline void v_prefix(struct asm_buf *a, uint32_t op, unsigned reg, unsigned vvvv, unsigned x,
                            unsigned b)
{
    unsigned pp = op >> 12 & 3, map = op >> 8 & 3;
    unsigned low = (~vvvv & 15) << 3 | (op & X_256 ? 4u : 0u) | pp;
    if (map == 1 && !(op & X_W) && !x && !b) {
        asm_u8(a, 0xc5);
        asm_u8(a, (reg & 8 ? 0u : 0x80u) | low);
    } else {
        asm_u8(a, 0xc4);
        asm_u8(a, (reg & 8 ? 0u : 0x80u) | (x ? 0u : 0x40u) | (b ? 0u : 0x20u) | map);
        asm_u8(a, (op & X_W ? 0x80u : 0u) | low);
    }
    asm_u8(a, op & 0xff);
}
static inline void v_rrr(struct asm_buf *a, uint32_t op, unsigned reg, unsigned vvvv, unsigned rm)
{
    v_prefix(a, op, reg, vvvv, 0, rm & 8);
    asm_u8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}
static inline void v_rrm(struct asm_buf *a, uint32_t op, unsigned reg, unsigned vvvv,
                         struct x_mem m)
{
    v_prefix(a, op, reg, vvvv, m.index != REG_NONE && (m.index & 8), !m.rip && (m.base & 8));
    x_modrm_mem(a, reg, m, 0);
}

/* ---- moves: EFLAGS stay ---- */

static inline void x_mov(struct asm_buf *a, uint32_t w, unsigned dst, unsigned src)
{
    x_rr(a, 0x8b | w, dst, src);
}
static inline void x_load(struct asm_buf *a, uint32_t w, unsigned dst, struct x_mem m)
{
    x_rm(a, 0x8b | w, dst, m);
}
static inline void x_store(struct asm_buf *a, uint32_t w, struct x_mem m, unsigned src)
{
    x_rm(a, 0x89 | w, src, m);
}
static inline void x_mov_imm(struct asm_buf *a, unsigned dst, uint64_t v)
{
    if (v <= UINT32_MAX) {
        if (dst & 8)
            asm_u8(a, 0x41);
        asm_u8(a, 0xb8 | (dst & 7));
        asm_u32(a, (uint32_t)v);
    } else if ((int64_t)v == (int32_t)v) {
        x_rr(a, 0xc7 | X_W, 0, dst);
        asm_u32(a, (uint32_t)v);
    } else {
        asm_u8(a, 0x48 | (dst & 8) >> 3);
        asm_u8(a, 0xb8 | (dst & 7));
        asm_u64(a, v);
    }
}
/* Sign-extends to 64 bits with X_W. */
static inline void x_store_imm32(struct asm_buf *a, uint32_t w, struct x_mem m, uint32_t v)
{
    x_rm_imm(a, 0xc7 | w, 0, m, 4);
    asm_u32(a, v);
}
static inline void x_lea(struct asm_buf *a, uint32_t w, unsigned dst, struct x_mem m)
{
    x_rm(a, 0x8d | w, dst, m);
}
static inline void x_cmov(struct asm_buf *a, uint32_t w, enum x_cc cc, unsigned dst, unsigned src)
{
    x_rr(a, (0x40u + cc) | X_0F | w, dst, src);
}
static inline void x_setcc(struct asm_buf *a, enum x_cc cc, unsigned dst)
{
    x_rr(a, (0x90u + cc) | X_0F | X_RM8, 0, dst);
}
static inline void x_movzx8(struct asm_buf *a, unsigned dst, unsigned src)
{
    x_rr(a, 0xb6 | X_0F | X_RM8, dst, src);
}
static inline void x_bswap(struct asm_buf *a, uint32_t w, unsigned r)
{
    unsigned rex = (w ? 8u : 0u) | (r & 8) >> 3;
    if (rex)
        asm_u8(a, 0x40 | rex);
    asm_u8(a, 0x0f);
    asm_u8(a, 0xc8 | (r & 7));
}
/* BMI2 shifts: dst = src op (count modulo the width). */
enum x_shiftx {
    X_SHLX = 0xf7 | X_0F38 | X_66,
    X_SARX = 0xf7 | X_0F38 | X_F3,
    X_SHRX = 0xf7 | X_0F38 | X_F2
};
static inline void x_shiftx(struct asm_buf *a, uint32_t w, enum x_shiftx op, unsigned dst,
                            unsigned src, unsigned count)
{
    v_rrr(a, op | w, dst, count, src);
}
static inline void x_rorx(struct asm_buf *a, uint32_t w, unsigned dst, unsigned src, unsigned n)
{
    v_rrr(a, 0xf0 | X_0F3A | X_F2 | w, dst, 0, src);
    asm_u8(a, n);
}

/* ---- arithmetic: EFLAGS are written ---- */

static inline void x_alu(struct asm_buf *a, uint32_t w, enum x_alu op, unsigned dst, unsigned src)
{
    a->flags = 0;
    x_rr(a, (0x03u + (op << 3)) | w, dst, src);
}
static inline void x_alu_mem(struct asm_buf *a, uint32_t w, enum x_alu op, unsigned dst,
                             struct x_mem m)
{
    a->flags = 0;
    x_rm(a, (0x03u + (op << 3)) | w, dst, m);
}
static inline void x_alu_imm(struct asm_buf *a, uint32_t w, enum x_alu op, unsigned dst, int32_t v)
{
    a->flags = 0;
    if (v >= -128 && v <= 127) {
        x_rr(a, 0x83 | w, op, dst);
        asm_u8(a, (unsigned)v & 0xff);
    } else if (dst == RAX) {
        if (w)
            asm_u8(a, 0x48);
        asm_u8(a, 0x05u + (op << 3));
        asm_u32(a, (uint32_t)v);
    } else {
        x_rr(a, 0x81 | w, op, dst);
        asm_u32(a, (uint32_t)v);
    }
}
static inline void x_alu_mem_imm(struct asm_buf *a, uint32_t w, enum x_alu op, struct x_mem m,
                                 int32_t v)
{
    a->flags = 0;
    bool small = v >= -128 && v <= 127;
    x_rm_imm(a, (small ? 0x83u : 0x81u) | w, op, m, small ? 1 : 4);
    if (small)
        asm_u8(a, (unsigned)v & 0xff);
    else
        asm_u32(a, (uint32_t)v);
}
static inline void x_test(struct asm_buf *a, uint32_t w, unsigned r1, unsigned r2)
{
    a->flags = 0;
    x_rr(a, 0x85 | w, r1, r2);
}
static inline void x_test_imm(struct asm_buf *a, uint32_t w, unsigned r, uint32_t v)
{
    a->flags = 0;
    if (v <= 0x7f) {
        x_rr(a, 0xf6 | X_RM8, 0, r);
        asm_u8(a, v);
    } else {
        x_rr(a, 0xf7 | w, 0, r);
        asm_u32(a, v);
    }
}
static inline void x_not(struct asm_buf *a, uint32_t w, unsigned r)
{
    x_rr(a, 0xf7 | w, 2, r);
}
static inline void x_neg(struct asm_buf *a, uint32_t w, unsigned r)
{
    a->flags = 0;
    x_rr(a, 0xf7 | w, 3, r);
}
static inline void x_imul(struct asm_buf *a, uint32_t w, unsigned dst, unsigned src)
{
    a->flags = 0;
    x_rr(a, 0xaf | X_0F | w, dst, src);
}
static inline void x_imul_imm(struct asm_buf *a, uint32_t w, unsigned dst, unsigned src, int32_t v)
{
    a->flags = 0;
    bool small = v >= -128 && v <= 127;
    x_rr(a, (small ? 0x6bu : 0x69u) | w, dst, src);
    if (small)
        asm_u8(a, (unsigned)v & 0xff);
    else
        asm_u32(a, (uint32_t)v);
}
static inline void x_shift_imm(struct asm_buf *a, uint32_t w, enum x_shift op, unsigned r,
                               unsigned n)
{
    a->flags = 0;
    x_rr(a, 0xc1 | w, op, r);
    asm_u8(a, n);
}
/* mul, imul, div, idiv of rdx:rax: DIGIT 4, 5, 6, 7 */
static inline void x_muldiv(struct asm_buf *a, uint32_t w, unsigned digit, unsigned r)
{
    a->flags = 0;
    x_rr(a, 0xf7 | w, digit, r);
}
static inline void x_bt_imm(struct asm_buf *a, unsigned r, unsigned bit)
{
    a->flags = 0;
    x_rr(a, 0xba | X_0F, 4, r);
    asm_u8(a, bit);
}

/* ---- jumps; the rel32 forms give the position of the field ---- */

static inline uint32_t x_jmp32(struct asm_buf *a)
{
    asm_u8(a, 0xe9);
    asm_u32(a, 0);
    return asm_pos(a) - 4;
}
static inline uint32_t x_jcc32(struct asm_buf *a, enum x_cc cc)
{
    asm_u8(a, 0x0f);
    asm_u8(a, 0x80u + cc);
    asm_u32(a, 0);
    return asm_pos(a) - 4;
}
/* TARGET is an offset from the block's start, before it too. */
static inline void x_fix32(struct asm_buf *a, uint32_t field, int32_t target)
{
    int32_t rel = target - (int32_t)(field + 4);
    memcpy(a->start + field, &rel, 4);
}
static inline void x_jmp_to(struct asm_buf *a, int32_t target)
{
    x_fix32(a, x_jmp32(a), target);
}
static inline void x_jcc_to(struct asm_buf *a, enum x_cc cc, int32_t target)
{
    x_fix32(a, x_jcc32(a, cc), target);
}
static inline void x_call_to(struct asm_buf *a, int32_t target)
{
    asm_u8(a, 0xe8);
    asm_u32(a, 0);
    x_fix32(a, asm_pos(a) - 4, target);
}
static inline void x_jmp_reg(struct asm_buf *a, unsigned r)
{
    x_rr(a, 0xff, 4, r);
}
static inline void x_call_reg(struct asm_buf *a, unsigned r)
{
    a->flags = 0;
    x_rr(a, 0xff, 2, r);
}
/* Short forward jumps inside one record. */
static inline uint8_t *x_jcc8(struct asm_buf *a, enum x_cc cc)
{
    asm_u8(a, 0x70u + cc);
    asm_u8(a, 0);
    return a->p;
}
static inline uint8_t *x_jmp8(struct asm_buf *a)
{
    asm_u8(a, 0xeb);
    asm_u8(a, 0);
    return a->p;
}
static inline void x_here8(struct asm_buf *a, uint8_t *from)
{
    from[-1] = (uint8_t)(a->p - from);
}

/* One no-operation of N bytes, 0..9 (Intel SDM 2B, NOP). */
static inline void x_nop(struct asm_buf *a, unsigned n)
{
    static const uint8_t nops[10][9] = {
        {0},
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0x00},
        {0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
        {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    };
    memcpy(a->p, nops[n], n);
    a->p += n;
}

/* ---- scalar floating point: D selects double ---- */

enum v_fp { V_SQRT = 0x51, V_ADD = 0x58, V_MUL = 0x59, V_SUB = 0x5c, V_DIV = 0x5e };
static inline void v_arith(struct asm_buf *a, bool d, enum v_fp op, unsigned dst, unsigned x,
                           unsigned y)
{
    v_rrr(a, op | X_0F | (d ? X_F2 : X_F3), dst, x, y);
}
static inline void v_mov(struct asm_buf *a, unsigned dst, unsigned src)
{
    v_rrr(a, 0x28 | X_0F, dst, 0, src); /* vmovaps: may be eliminated, unlike vmovsd */
}
static inline void v_load(struct asm_buf *a, bool d, unsigned dst, struct x_mem m)
{
    v_rrm(a, 0x10 | X_0F | (d ? X_F2 : X_F3), dst, 0, m);
}
static inline void v_store(struct asm_buf *a, bool d, struct x_mem m, unsigned src)
{
    v_rrm(a, 0x11 | X_0F | (d ? X_F2 : X_F3), src, 0, m);
}
static inline void v_from_gpr(struct asm_buf *a, bool d, unsigned dst, unsigned src)
{
    v_rrr(a, 0x6e | X_0F | X_66 | (d ? X_W : 0), dst, 0, src);
}
static inline void v_to_gpr(struct asm_buf *a, bool d, unsigned dst, unsigned src)
{
    v_rrr(a, 0x7e | X_0F | X_66 | (d ? X_W : 0), src, 0, dst);
}
static inline void v_zeroupper(struct asm_buf *a)
{
    v_prefix(a, 0x77 | X_0F, 0, 0, 0, 0);
}
/* vucomis, or vcomis when SIGNALLING. */
static inline void v_comi(struct asm_buf *a, bool d, bool signalling, unsigned x, unsigned y)
{
    a->flags = 0;
    v_rrr(a, (signalling ? 0x2fu : 0x2eu) | X_0F | (d ? X_66 : 0), x, 0, y);
}

static inline void v_comi_mem(struct asm_buf *a, bool d, bool signalling, unsigned x, struct x_mem m)
{
    a->flags = 0;
    v_rrm(a, (signalling ? 0x2fu : 0x2eu) | X_0F | (d ? X_66 : 0), x, 0, m);
}

#endif
