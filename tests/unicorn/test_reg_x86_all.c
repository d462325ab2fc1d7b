/* Every register number of x86 in every mode: how wide it is, and which others a write to it
 * changes. The rows were made from what Unicorn's library does; what differs on purpose (k, mm,
 * CR1, FS and GS bases outside 64-bit mode) stands in reg_x86. */
#include "uc_test.h"

enum { REGISTERS = UC_X86_REG_ENDING, WIDEST = 64, OTHERS = 4 };

#define ID(name) UC_X86_REG_##name
#define ROW(name, in16, in32, in64, ...)                                                           \
    {                                                                                              \
        ID(name), {in16, in32, in64},                                                              \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct row {
    int id;
    uint8_t size[3]; /* in 16-, 32- and 64-bit mode, 0: it is not there */
    int changes[OTHERS];
} rows[] = {
    ROW(AH, 1, 1, 1, ID(AX), ID(EAX), ID(RAX)),
    ROW(AL, 1, 1, 1, ID(AX), ID(EAX), ID(RAX)),
    ROW(AX, 2, 2, 2, ID(AH), ID(AL), ID(EAX), ID(RAX)),
    ROW(BH, 1, 1, 1, ID(BX), ID(EBX), ID(RBX)),
    ROW(BL, 1, 1, 1, ID(BX), ID(EBX), ID(RBX)),
    ROW(BP, 2, 2, 2, ID(BPL), ID(EBP), ID(RBP)),
    ROW(BPL, 0, 0, 1, ID(BP), ID(EBP), ID(RBP)),
    ROW(BX, 2, 2, 2, ID(BH), ID(BL), ID(EBX), ID(RBX)),
    ROW(CH, 1, 1, 1, ID(CX), ID(ECX), ID(RCX)),
    ROW(CL, 1, 1, 1, ID(CX), ID(ECX), ID(RCX)),
    ROW(CS, 2, 2, 2),
    ROW(CX, 2, 2, 2, ID(CH), ID(CL), ID(ECX), ID(RCX)),
    ROW(DH, 1, 1, 1, ID(DX), ID(EDX), ID(RDX)),
    ROW(DI, 2, 2, 2, ID(DIL), ID(EDI), ID(RDI)),
    ROW(DIL, 0, 0, 1, ID(DI), ID(EDI), ID(RDI)),
    ROW(DL, 1, 1, 1, ID(DX), ID(EDX), ID(RDX)),
    ROW(DS, 2, 2, 2),
    ROW(DX, 2, 2, 2, ID(DH), ID(DL), ID(EDX), ID(RDX)),
    ROW(EAX, 4, 4, 4, ID(AH), ID(AL), ID(AX), ID(RAX)),
    ROW(EBP, 4, 4, 4, ID(BP), ID(BPL), ID(RBP)),
    ROW(EBX, 4, 4, 4, ID(BH), ID(BL), ID(BX), ID(RBX)),
    ROW(ECX, 4, 4, 4, ID(CH), ID(CL), ID(CX), ID(RCX)),
    ROW(EDI, 4, 4, 4, ID(DI), ID(DIL), ID(RDI)),
    ROW(EDX, 4, 4, 4, ID(DH), ID(DL), ID(DX), ID(RDX)),
    ROW(EFLAGS, 4, 4, 4, ID(FLAGS), ID(RFLAGS)),
    ROW(EIP, 4, 4, 4, ID(IP), ID(RIP)),
    ROW(ES, 2, 2, 2),
    ROW(ESI, 4, 4, 4, ID(RSI), ID(SI), ID(SIL)),
    ROW(ESP, 4, 4, 4, ID(RSP), ID(SP), ID(SPL)),
    ROW(FPSW, 2, 2, 2),
    ROW(FS, 2, 2, 2),
    ROW(GS, 2, 2, 2),
    ROW(IP, 2, 2, 2, ID(EIP), ID(RIP)),
    ROW(RAX, 0, 0, 8, ID(AH), ID(AL), ID(AX), ID(EAX)),
    ROW(RBP, 0, 0, 8, ID(BP), ID(BPL), ID(EBP)),
    ROW(RBX, 0, 0, 8, ID(BH), ID(BL), ID(BX), ID(EBX)),
    ROW(RCX, 0, 0, 8, ID(CH), ID(CL), ID(CX), ID(ECX)),
    ROW(RDI, 0, 0, 8, ID(DI), ID(DIL), ID(EDI)),
    ROW(RDX, 0, 0, 8, ID(DH), ID(DL), ID(DX), ID(EDX)),
    ROW(RIP, 0, 0, 8, ID(EIP), ID(IP)),
    ROW(RSI, 0, 0, 8, ID(ESI), ID(SI), ID(SIL)),
    ROW(RSP, 0, 0, 8, ID(ESP), ID(SP), ID(SPL)),
    ROW(SI, 2, 2, 2, ID(ESI), ID(RSI), ID(SIL)),
    ROW(SIL, 0, 0, 1, ID(ESI), ID(RSI), ID(SI)),
    ROW(SP, 2, 2, 2, ID(ESP), ID(RSP), ID(SPL)),
    ROW(SPL, 0, 0, 1, ID(ESP), ID(RSP), ID(SP)),
    ROW(SS, 2, 2, 2),
    ROW(CR0, 4, 4, 8),
    ROW(CR2, 4, 4, 8),
    ROW(CR3, 4, 4, 8),
    ROW(CR4, 4, 4, 8),
    ROW(CR8, 0, 0, 8),
    ROW(DR0, 4, 4, 8),
    ROW(DR1, 4, 4, 8),
    ROW(DR2, 4, 4, 8),
    ROW(DR3, 4, 4, 8),
    ROW(DR4, 4, 4, 8),
    ROW(DR5, 4, 4, 8),
    ROW(DR6, 4, 4, 8),
    ROW(DR7, 4, 4, 8),
    ROW(FP0, 10, 10, 10, ID(ST0), ID(FPTAG)),
    ROW(FP1, 10, 10, 10, ID(ST1), ID(FPTAG)),
    ROW(FP2, 10, 10, 10, ID(ST2), ID(FPTAG)),
    ROW(FP3, 10, 10, 10, ID(ST3), ID(FPTAG)),
    ROW(FP4, 10, 10, 10, ID(ST4), ID(FPTAG)),
    ROW(FP5, 10, 10, 10, ID(ST5), ID(FPTAG)),
    ROW(FP6, 10, 10, 10, ID(ST6), ID(FPTAG)),
    ROW(FP7, 10, 10, 10, ID(ST7), ID(FPTAG)),
    ROW(R8, 0, 0, 8, ID(R8B), ID(R8D), ID(R8W)),
    ROW(R9, 0, 0, 8, ID(R9B), ID(R9D), ID(R9W)),
    ROW(R10, 0, 0, 8, ID(R10B), ID(R10D), ID(R10W)),
    ROW(R11, 0, 0, 8, ID(R11B), ID(R11D), ID(R11W)),
    ROW(R12, 0, 0, 8, ID(R12B), ID(R12D), ID(R12W)),
    ROW(R13, 0, 0, 8, ID(R13B), ID(R13D), ID(R13W)),
    ROW(R14, 0, 0, 8, ID(R14B), ID(R14D), ID(R14W)),
    ROW(R15, 0, 0, 8, ID(R15B), ID(R15D), ID(R15W)),
    ROW(ST0, 10, 10, 10, ID(FP0), ID(FPTAG)),
    ROW(ST1, 10, 10, 10, ID(FP1), ID(FPTAG)),
    ROW(ST2, 10, 10, 10, ID(FP2), ID(FPTAG)),
    ROW(ST3, 10, 10, 10, ID(FP3), ID(FPTAG)),
    ROW(ST4, 10, 10, 10, ID(FP4), ID(FPTAG)),
    ROW(ST5, 10, 10, 10, ID(FP5), ID(FPTAG)),
    ROW(ST6, 10, 10, 10, ID(FP6), ID(FPTAG)),
    ROW(ST7, 10, 10, 10, ID(FP7), ID(FPTAG)),
    ROW(XMM0, 16, 16, 16, ID(YMM0), ID(ZMM0)),
    ROW(XMM1, 16, 16, 16, ID(YMM1), ID(ZMM1)),
    ROW(XMM2, 16, 16, 16, ID(YMM2), ID(ZMM2)),
    ROW(XMM3, 16, 16, 16, ID(YMM3), ID(ZMM3)),
    ROW(XMM4, 16, 16, 16, ID(YMM4), ID(ZMM4)),
    ROW(XMM5, 16, 16, 16, ID(YMM5), ID(ZMM5)),
    ROW(XMM6, 16, 16, 16, ID(YMM6), ID(ZMM6)),
    ROW(XMM7, 16, 16, 16, ID(YMM7), ID(ZMM7)),
    ROW(XMM8, 0, 0, 16, ID(YMM8), ID(ZMM8)),
    ROW(XMM9, 0, 0, 16, ID(YMM9), ID(ZMM9)),
    ROW(XMM10, 0, 0, 16, ID(YMM10), ID(ZMM10)),
    ROW(XMM11, 0, 0, 16, ID(YMM11), ID(ZMM11)),
    ROW(XMM12, 0, 0, 16, ID(YMM12), ID(ZMM12)),
    ROW(XMM13, 0, 0, 16, ID(YMM13), ID(ZMM13)),
    ROW(XMM14, 0, 0, 16, ID(YMM14), ID(ZMM14)),
    ROW(XMM15, 0, 0, 16, ID(YMM15), ID(ZMM15)),
    ROW(XMM16, 0, 0, 16, ID(YMM16), ID(ZMM16)),
    ROW(XMM17, 0, 0, 16, ID(YMM17), ID(ZMM17)),
    ROW(XMM18, 0, 0, 16, ID(YMM18), ID(ZMM18)),
    ROW(XMM19, 0, 0, 16, ID(YMM19), ID(ZMM19)),
    ROW(XMM20, 0, 0, 16, ID(YMM20), ID(ZMM20)),
    ROW(XMM21, 0, 0, 16, ID(YMM21), ID(ZMM21)),
    ROW(XMM22, 0, 0, 16, ID(YMM22), ID(ZMM22)),
    ROW(XMM23, 0, 0, 16, ID(YMM23), ID(ZMM23)),
    ROW(XMM24, 0, 0, 16, ID(YMM24), ID(ZMM24)),
    ROW(XMM25, 0, 0, 16, ID(YMM25), ID(ZMM25)),
    ROW(XMM26, 0, 0, 16, ID(YMM26), ID(ZMM26)),
    ROW(XMM27, 0, 0, 16, ID(YMM27), ID(ZMM27)),
    ROW(XMM28, 0, 0, 16, ID(YMM28), ID(ZMM28)),
    ROW(XMM29, 0, 0, 16, ID(YMM29), ID(ZMM29)),
    ROW(XMM30, 0, 0, 16, ID(YMM30), ID(ZMM30)),
    ROW(XMM31, 0, 0, 16, ID(YMM31), ID(ZMM31)),
    ROW(YMM0, 32, 32, 32, ID(XMM0), ID(ZMM0)),
    ROW(YMM1, 32, 32, 32, ID(XMM1), ID(ZMM1)),
    ROW(YMM2, 32, 32, 32, ID(XMM2), ID(ZMM2)),
    ROW(YMM3, 32, 32, 32, ID(XMM3), ID(ZMM3)),
    ROW(YMM4, 32, 32, 32, ID(XMM4), ID(ZMM4)),
    ROW(YMM5, 32, 32, 32, ID(XMM5), ID(ZMM5)),
    ROW(YMM6, 32, 32, 32, ID(XMM6), ID(ZMM6)),
    ROW(YMM7, 32, 32, 32, ID(XMM7), ID(ZMM7)),
    ROW(YMM8, 0, 0, 32, ID(XMM8), ID(ZMM8)),
    ROW(YMM9, 0, 0, 32, ID(XMM9), ID(ZMM9)),
    ROW(YMM10, 0, 0, 32, ID(XMM10), ID(ZMM10)),
    ROW(YMM11, 0, 0, 32, ID(XMM11), ID(ZMM11)),
    ROW(YMM12, 0, 0, 32, ID(XMM12), ID(ZMM12)),
    ROW(YMM13, 0, 0, 32, ID(XMM13), ID(ZMM13)),
    ROW(YMM14, 0, 0, 32, ID(XMM14), ID(ZMM14)),
    ROW(YMM15, 0, 0, 32, ID(XMM15), ID(ZMM15)),
    ROW(YMM16, 0, 0, 32, ID(XMM16), ID(ZMM16)),
    ROW(YMM17, 0, 0, 32, ID(XMM17), ID(ZMM17)),
    ROW(YMM18, 0, 0, 32, ID(XMM18), ID(ZMM18)),
    ROW(YMM19, 0, 0, 32, ID(XMM19), ID(ZMM19)),
    ROW(YMM20, 0, 0, 32, ID(XMM20), ID(ZMM20)),
    ROW(YMM21, 0, 0, 32, ID(XMM21), ID(ZMM21)),
    ROW(YMM22, 0, 0, 32, ID(XMM22), ID(ZMM22)),
    ROW(YMM23, 0, 0, 32, ID(XMM23), ID(ZMM23)),
    ROW(YMM24, 0, 0, 32, ID(XMM24), ID(ZMM24)),
    ROW(YMM25, 0, 0, 32, ID(XMM25), ID(ZMM25)),
    ROW(YMM26, 0, 0, 32, ID(XMM26), ID(ZMM26)),
    ROW(YMM27, 0, 0, 32, ID(XMM27), ID(ZMM27)),
    ROW(YMM28, 0, 0, 32, ID(XMM28), ID(ZMM28)),
    ROW(YMM29, 0, 0, 32, ID(XMM29), ID(ZMM29)),
    ROW(YMM30, 0, 0, 32, ID(XMM30), ID(ZMM30)),
    ROW(YMM31, 0, 0, 32, ID(XMM31), ID(ZMM31)),
    ROW(ZMM0, 0, 0, 64, ID(XMM0), ID(YMM0)),
    ROW(ZMM1, 0, 0, 64, ID(XMM1), ID(YMM1)),
    ROW(ZMM2, 0, 0, 64, ID(XMM2), ID(YMM2)),
    ROW(ZMM3, 0, 0, 64, ID(XMM3), ID(YMM3)),
    ROW(ZMM4, 0, 0, 64, ID(XMM4), ID(YMM4)),
    ROW(ZMM5, 0, 0, 64, ID(XMM5), ID(YMM5)),
    ROW(ZMM6, 0, 0, 64, ID(XMM6), ID(YMM6)),
    ROW(ZMM7, 0, 0, 64, ID(XMM7), ID(YMM7)),
    ROW(ZMM8, 0, 0, 64, ID(XMM8), ID(YMM8)),
    ROW(ZMM9, 0, 0, 64, ID(XMM9), ID(YMM9)),
    ROW(ZMM10, 0, 0, 64, ID(XMM10), ID(YMM10)),
    ROW(ZMM11, 0, 0, 64, ID(XMM11), ID(YMM11)),
    ROW(ZMM12, 0, 0, 64, ID(XMM12), ID(YMM12)),
    ROW(ZMM13, 0, 0, 64, ID(XMM13), ID(YMM13)),
    ROW(ZMM14, 0, 0, 64, ID(XMM14), ID(YMM14)),
    ROW(ZMM15, 0, 0, 64, ID(XMM15), ID(YMM15)),
    ROW(ZMM16, 0, 0, 64, ID(XMM16), ID(YMM16)),
    ROW(ZMM17, 0, 0, 64, ID(XMM17), ID(YMM17)),
    ROW(ZMM18, 0, 0, 64, ID(XMM18), ID(YMM18)),
    ROW(ZMM19, 0, 0, 64, ID(XMM19), ID(YMM19)),
    ROW(ZMM20, 0, 0, 64, ID(XMM20), ID(YMM20)),
    ROW(ZMM21, 0, 0, 64, ID(XMM21), ID(YMM21)),
    ROW(ZMM22, 0, 0, 64, ID(XMM22), ID(YMM22)),
    ROW(ZMM23, 0, 0, 64, ID(XMM23), ID(YMM23)),
    ROW(ZMM24, 0, 0, 64, ID(XMM24), ID(YMM24)),
    ROW(ZMM25, 0, 0, 64, ID(XMM25), ID(YMM25)),
    ROW(ZMM26, 0, 0, 64, ID(XMM26), ID(YMM26)),
    ROW(ZMM27, 0, 0, 64, ID(XMM27), ID(YMM27)),
    ROW(ZMM28, 0, 0, 64, ID(XMM28), ID(YMM28)),
    ROW(ZMM29, 0, 0, 64, ID(XMM29), ID(YMM29)),
    ROW(ZMM30, 0, 0, 64, ID(XMM30), ID(YMM30)),
    ROW(ZMM31, 0, 0, 64, ID(XMM31), ID(YMM31)),
    ROW(R8B, 0, 0, 1, ID(R8), ID(R8D), ID(R8W)),
    ROW(R9B, 0, 0, 1, ID(R9), ID(R9D), ID(R9W)),
    ROW(R10B, 0, 0, 1, ID(R10), ID(R10D), ID(R10W)),
    ROW(R11B, 0, 0, 1, ID(R11), ID(R11D), ID(R11W)),
    ROW(R12B, 0, 0, 1, ID(R12), ID(R12D), ID(R12W)),
    ROW(R13B, 0, 0, 1, ID(R13), ID(R13D), ID(R13W)),
    ROW(R14B, 0, 0, 1, ID(R14), ID(R14D), ID(R14W)),
    ROW(R15B, 0, 0, 1, ID(R15), ID(R15D), ID(R15W)),
    ROW(R8D, 0, 0, 4, ID(R8), ID(R8B), ID(R8W)),
    ROW(R9D, 0, 0, 4, ID(R9), ID(R9B), ID(R9W)),
    ROW(R10D, 0, 0, 4, ID(R10), ID(R10B), ID(R10W)),
    ROW(R11D, 0, 0, 4, ID(R11), ID(R11B), ID(R11W)),
    ROW(R12D, 0, 0, 4, ID(R12), ID(R12B), ID(R12W)),
    ROW(R13D, 0, 0, 4, ID(R13), ID(R13B), ID(R13W)),
    ROW(R14D, 0, 0, 4, ID(R14), ID(R14B), ID(R14W)),
    ROW(R15D, 0, 0, 4, ID(R15), ID(R15B), ID(R15W)),
    ROW(R8W, 0, 0, 2, ID(R8), ID(R8B), ID(R8D)),
    ROW(R9W, 0, 0, 2, ID(R9), ID(R9B), ID(R9D)),
    ROW(R10W, 0, 0, 2, ID(R10), ID(R10B), ID(R10D)),
    ROW(R11W, 0, 0, 2, ID(R11), ID(R11B), ID(R11D)),
    ROW(R12W, 0, 0, 2, ID(R12), ID(R12B), ID(R12D)),
    ROW(R13W, 0, 0, 2, ID(R13), ID(R13B), ID(R13D)),
    ROW(R14W, 0, 0, 2, ID(R14), ID(R14B), ID(R14D)),
    ROW(R15W, 0, 0, 2, ID(R15), ID(R15B), ID(R15D)),
    ROW(IDTR, 24, 24, 24),
    ROW(GDTR, 24, 24, 24),
    ROW(LDTR, 24, 24, 24),
    ROW(TR, 24, 24, 24),
    ROW(FPCW, 2, 2, 2),
    ROW(FPTAG, 2, 2, 2),
    ROW(MXCSR, 4, 4, 4),
    ROW(FLAGS, 2, 2, 2, ID(EFLAGS), ID(RFLAGS)),
    ROW(RFLAGS, 0, 0, 8, ID(EFLAGS), ID(FLAGS)),
    ROW(FIP, 8, 8, 8),
    ROW(FCS, 2, 2, 2),
    ROW(FDP, 8, 8, 8),
    ROW(FDS, 2, 2, 2),
    ROW(FOP, 2, 2, 2),
};

typedef uc_err (*reg2_fn)(uc_engine *, int, void *, size_t *);

static uint8_t before[REGISTERS][WIDEST], after[REGISTERS][WIDEST];

static void read_all(uc_engine *uc, uint8_t to[REGISTERS][WIDEST])
{
    memset(to, 0xee, sizeof before);
    for (int id = 1; id < REGISTERS; id++)
        if (id != UC_X86_REG_MSR)
            ok(uc_reg_read(uc, id, to[id]));
}

/* The size that a call needs, by giving it ever more. */
static size_t need_of(uc_engine *uc, reg2_fn call, int id, void *value, uc_err *error)
{
    for (size_t size = 0; size <= WIDEST; size++) {
        size_t used = size;
        *error = call(uc, id, value, &used);
        if (*error != UC_ERR_OVERFLOW) {
            assert_int_equal(used, size);
            return size;
        }
    }
    fail_msg("register %d is too wide", id);
    return 0;
}

static bool is_segment(int id)
{
    return id == UC_X86_REG_CS || id == UC_X86_REG_SS || id == UC_X86_REG_DS ||
           id == UC_X86_REG_ES || id == UC_X86_REG_FS || id == UC_X86_REG_GS;
}

/* Is that selector looked up in the descriptor table, which is not there? */
static bool is_refused(int id, int mode)
{
    if (mode == 2)
        return id == UC_X86_REG_FS || id == UC_X86_REG_GS;
    return mode == 1 && is_segment(id);
}

/* Registers that do not take every bit. */
static bool keeps_all(int id)
{
    return id != UC_X86_REG_EFLAGS && id != UC_X86_REG_RFLAGS && id != UC_X86_REG_FLAGS &&
           id != UC_X86_REG_MXCSR && id != UC_X86_REG_FPTAG &&
           !(id >= UC_X86_REG_IDTR && id <= UC_X86_REG_TR);
}

static bool changes(const struct row *r, int id)
{
    for (int n = 0; n < OTHERS; n++)
        if (r->changes[n] == id)
            return true;
    return id == r->id && id != UC_X86_REG_FPTAG;
}

static const struct row *row_of(int id)
{
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
        if (rows[n].id == id)
            return &rows[n];
    return NULL;
}

static void check(const struct row *r, int mode)
{
    uint8_t value[WIDEST], scratch[WIDEST];
    bool refused = is_refused(r->id, mode);
    uc_engine *uc;
    uc_err error;

    for (unsigned n = 0; n < WIDEST; n++)
        value[n] = (uint8_t)(0x11 * (n % 15 + 1) + n / 15);
    ok(uc_open(UC_ARCH_X86, (uc_mode)(UC_MODE_16 << mode), &uc));
    assert_int_equal(need_of(uc, (reg2_fn)uct_function("uc_reg_read2"), r->id, scratch, &error),
                     r->size[mode]);
    ok(error);
    read_all(uc, before);
    size_t need = need_of(uc, (reg2_fn)uct_function("uc_reg_write2"), r->id, value, &error);
    assert_int_equal(error, refused ? UC_ERR_EXCEPTION : UC_ERR_OK);
    assert_int_equal(need, r->size[mode]);
    read_all(uc, after);
    for (int id = 1; id < REGISTERS; id++) {
        const struct row *other = row_of(id);
        if (!other || !other->size[mode])
            continue;
        bool changed = memcmp(before[id], after[id], WIDEST) != 0;
        if (changed != (need && !refused && changes(r, id)))
            fail_msg("mode %d: writing %d, register %d %s", 16 << mode, r->id, id,
                     changed ? "changed" : "did not");
    }
    if (need && !refused && keeps_all(r->id))
        assert_memory_equal(after[r->id], value, need);
    ok(uc_close(uc));
}

static void every_register(void **state)
{
    (void)state;
    if (!SINCE_2_1)
        skip();
    for (int mode = 0; mode < 3; mode++)
        for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
            check(&rows[n], mode);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_register)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
