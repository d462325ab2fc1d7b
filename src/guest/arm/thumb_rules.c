/* UNPREDICTABLE Thumb encodings, ARM DDI 0406C A8.8 ("Encoding T1 ...") and A2.5.2. */
#include "guest/arm/thumb.h"

/* ---- IT blocks: which instructions may not stand in one, or only as its last ---- */

enum place { NEVER, LAST };

struct place_rule {
    uint32_t mask, value;
    enum place place;
};

static const struct place_rule t16_places[] = {
    {0xffc0, 0x0000, NEVER}, /* MOVS (register): A8.8.103 T2 */
    {0xff87, 0x4487, LAST},  /* ADD pc */
    {0xff87, 0x4687, LAST},  /* MOV pc */
    {0xff00, 0x4700, LAST},  /* BX, BLX */
    {0xf500, 0xb100, NEVER}, /* CBZ, CBNZ */
    {0xffe0, 0xb640, NEVER}, /* SETEND */
    {0xffe0, 0xb660, NEVER}, /* CPS */
    {0xff00, 0xbd00, LAST},  /* POP with pc */
    {0xf800, 0xe000, LAST},  /* B T2 */
};

static const struct place_rule t32_places[] = {
    {0xfe508000, 0xe8108000, LAST},  /* LDM with pc, RFE */
    {0xfff000e0, 0xe8d00000, LAST},  /* TBB, TBH */
    {0xff70f000, 0xf850f000, LAST},  /* LDR pc */
    {0xfff0d000, 0xf3c08000, LAST},  /* BXJ */
    {0xfff0d000, 0xf3d08000, LAST},  /* SUBS pc, lr */
    {0xf800d000, 0xf0008000, NEVER}, /* B T3; other control instructions are let off below */
    {0xf800d000, 0xf0009000, LAST},  /* B T4 */
    {0xf800c000, 0xf000c000, LAST},  /* BL, BLX */
};

static bool last_in_it(const struct arm_lift *l)
{
    return (l->it & 15) == 8;
}

static bool bad_place(const struct arm_lift *l, const struct arm_insn *i)
{
    const struct place_rule *rules = i->size == 2 ? t16_places : t32_places;
    unsigned n =
        i->size == 2 ? sizeof t16_places / sizeof *rules : sizeof t32_places / sizeof *rules;

    if (i->size == 2 && (i->raw & 0xf000) == 0xd000)
        return (i->raw & 0x0e00) != 0x0e00; /* B T1; UDF and SVC may stand there */
    if (i->size == 2 && (i->raw & 0xff00) == 0xbf00)
        return (i->raw & 15) != 0; /* IT; hints may */
    for (unsigned k = 0; k < n; k++) {
        if ((i->raw & rules[k].mask) != rules[k].value)
            continue;
        if (rules[k].place == LAST)
            return !last_in_it(l);
        /* Control instructions have 111 in the place of B T3's condition; CPS is one of them. */
        return i->size == 2 || (i->raw >> 23 & 7) != 7 || (i->raw & 0x07f0d700) == 0x03a08100 ||
               (i->raw & 0x07f0d400) == 0x03a08400;
    }
    return false;
}

/* ---- registers ---- */

/* BadReg(): sp and pc */
static bool bad(unsigned n)
{
    return n == 13 || n == 15;
}

static bool t16_registers(const struct arm_insn *i)
{
    switch (i->raw >> 8) {
    case 0x44: return i->d == 15 && i->m == 15;                           /* A8.8.6 T2 */
    case 0x45: return (i->n < 8 && i->m < 8) || i->n == 15 || i->m == 15; /* A8.8.38 T2 */
    case 0xb4: return !i->list;                                           /* A8.8.133 T1 */
    case 0xbc: return !i->list;                                           /* A8.8.131 T1 */
    }
    if (i->raw >> 12 == 12) /* LDM, STM: A8.8.58 T1, A8.8.199 T1 */
        return !i->list;
    return false;
}

/* 11101 01: shifted register */
static bool t32_shifted(uint32_t raw)
{
    unsigned op = raw >> 21 & 15, n = raw >> 16 & 15, d = raw >> 8 & 15, m = raw & 15;
    bool s = raw >> 20 & 1, add_sub = op == 8 || op == 13;
    uint32_t shift = raw & 0x70f0;

    if (op == 2 && n == 15 && !shift) { /* MOV: A8.8.103 T3 */
        if (s)
            return bad(d) || bad(m);
        return d == 15 || m == 15 || (d == 13 && m == 13);
    }
    if (bad(m))
        return true;
    if (d == 15 && s && (op == 0 || op == 4)) /* TST, TEQ */
        return bad(n);
    if (d == 15 && s && add_sub) /* CMN, CMP */
        return n == 15;
    if (n == 13 && add_sub) /* A8.8.10 T3: LSL by 0 to 3 when it is the stack pointer that moves */
        return d == 15 || (d == 13 && (shift & ~0x00c0u));
    if (n == 15 && (op == 2 || op == 3)) /* shifts, MVN */
        return bad(d);
    return bad(d) || bad(n);
}

/* 11110 with bit 15 of the second halfword clear: modified and plain immediates */
static bool t32_immediate(uint32_t raw)
{
    unsigned op = raw >> 21 & 15, n = raw >> 16 & 15, d = raw >> 8 & 15;
    bool s = raw >> 20 & 1, add_sub = op == 8 || op == 13;

    if (raw >> 25 & 1) {
        switch (op) {
        case 0: /* ADDW, ADR */
        case 5: /* SUBW, ADR: A8.8.9 T4, A8.8.225 T3 */ return n == 13 ? d == 15 : bad(d);
        case 2: /* MOVW */
        case 6: /* MOVT: n is part of the immediate */ return bad(d);
        case 11: /* BFI, BFC */ return bad(d) || n == 13;
        }
        return bad(d) || bad(n);
    }
    if (!(raw & 0x04004000) && raw & 0x3000 &&
        !(raw & 0xff)) /* ThumbExpandImm of a zero byte: A6.3.2 */
        return true;
    if (d == 15 && s && (op == 0 || op == 4))
        return bad(n);
    if (d == 15 && s && add_sub)
        return n == 15;
    if (n == 13 && add_sub)
        return d == 15;
    if (n == 15 && (op == 2 || op == 3)) /* MOV, MVN */
        return bad(d);
    return bad(d) || bad(n);
}

/* 11111 010: registers */
static bool t32_register(uint32_t raw)
{
    unsigned n = raw >> 16 & 15, d = raw >> 8 & 15, m = raw & 15;

    if (bad(d) || bad(m) || n == 13)
        return true;
    if ((raw & 0x00d00080) == 0x00900080) /* REV and its sisters, CLZ: A8.8.145, A8.8.33 */
        return n != m;
    return n == 15 && (raw & 0x00800080) != 0x00000080; /* pc: extensions without an addend */
}

/* 11111 011: multiplies and divisions */
static bool t32_multiply(uint32_t raw)
{
    unsigned n = raw >> 16 & 15, a = raw >> 12 & 15, d = raw >> 8 & 15, m = raw & 15;
    unsigned op = raw >> 20 & 7, op2 = raw >> 4 & 15;

    if (bad(d) || bad(n) || bad(m))
        return true;
    if (!(raw >> 23 & 1)) /* a = pc: no addend; MLS and SMMLS have none of those forms */
        return a == 13 || (a == 15 && ((op == 0 && op2 == 1) || op == 6));
    if (op == 1 || op == 3) /* divisions: a is should-be-one */
        return false;
    return bad(a) || a == d;
}

/* 1110100 with bit 22: dual, exclusive, table branch */
static bool t32_dual(const struct arm_insn *i)
{
    uint32_t raw = i->raw;
    unsigned n = raw >> 16 & 15, t = raw >> 12 & 15, u = raw >> 8 & 15, m = raw & 15;
    bool load = raw >> 20 & 1;

    if ((raw & 0xfff000e0) == 0xe8d00000) /* TBB, TBH: A8.8.237 */
        return n == 13 || bad(m);
    if (raw & 0x01200000) { /* LDRD, STRD: A8.8.72, A8.8.73, A8.8.210 */
        if (bad(t) || bad(u) || (load && t == u) || (i->W && (n == t || n == u)))
            return true;
        return n == 15 && (!load || i->W);
    }
    if (n == 15 || bad(t))
        return true;
    if (!(raw >> 23 & 1)) /* LDREX, STREX: A8.8.75, A8.8.212 */
        return !load && (bad(u) || u == n || u == t);
    if ((raw >> 4 & 15) == 7 && (bad(u) || (load && t == u)))
        return true; /* doubleword: A8.8.77, A8.8.214 */
    return !load && (bad(m) || m == n || m == t || ((raw >> 4 & 15) == 7 && m == u));
}

/* 1110100 without bit 22: LDM, STM; SRS and RFE */
static bool t32_multiple(const struct arm_insn *i)
{
    bool load = i->raw >> 20 & 1;

    if ((i->raw >> 23 & 3) == 0 || (i->raw >> 23 & 3) == 3)
        return load && i->n == 15; /* RFE: B9.3.13 */
    /* A8.8.58 T2, A8.8.60 T1, A8.8.199 T2, A8.8.201 T1 */
    return i->n == 15 || !(i->list & (i->list - 1)) || (load && (i->list >> 14) == 3) ||
           (i->W && i->list >> i->n & 1);
}

/* 11111 00: single loads and stores, hints */
static bool t32_single(const struct arm_insn *i)
{
    uint32_t raw = i->raw;
    unsigned n = raw >> 16 & 15, t = raw >> 12 & 15, size = raw >> 21 & 3, m = raw & 15;
    bool load = raw >> 20 & 1, wide = raw >> 23 & 1;
    bool reg = !wide && !(raw & 0x0800), user = !wide && (raw & 0x0f00) == 0x0e00;

    if (load && n == 15) /* literal */
        return size != 2 && t == 13;
    if (reg && bad(m))
        return true;
    if (load && size != 2 && t == 15 && !i->W && !user) /* hint */
        return false;
    if (size != 2 || user ? bad(t) : t == 15 && !load)
        return true;
    return i->W && n == t;
}

static bool t32_registers(const struct arm_insn *i)
{
    uint32_t raw = i->raw;

    switch (raw >> 25) {
    case 0x74: return raw >> 22 & 1 ? t32_dual(i) : t32_multiple(i);
    case 0x75: return t32_shifted(raw);
    case 0x78:
    case 0x79:
    case 0x7a:
    case 0x7b: return !(raw & 0x8000) && t32_immediate(raw);
    case 0x7c: /* with bit 24 and without bit 20: Advanced SIMD */
        return (raw & 0x01100000) != 0x01000000 && t32_single(i);
    case 0x7d: return raw >> 24 & 1 ? t32_multiply(raw) : t32_register(raw);
    }
    return false;
}

bool arm_thumb_unpredictable(const struct arm_lift *l, const struct arm_insn *i)
{
    if (l->it && bad_place(l, i))
        return true;
    if (i->row->features & ARM_F_M_ANY) /* they say it themselves */
        return false;
    return i->size == 2 ? t16_registers(i) : t32_registers(i);
}
