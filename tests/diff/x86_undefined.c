#include "x86_undefined.h"

#include <cpuid.h>
#include <string.h>
#include "guest/x86/state.h"

#define C X86_CF
#define P X86_PF
#define A X86_AF
#define Z X86_ZF
#define S X86_SF
#define O X86_OF

/* SDM 1 appendix A. */
static const struct {
    uint16_t mnemonic;
    uint32_t flags;
} undefined[] = {
#define ROW(mnemonic, flags) {ZYDIS_MNEMONIC_##mnemonic, flags},
    // clang-format off
    ROW(AAA, O | S | Z | P) ROW(AAS, O | S | Z | P) ROW(AAD, O | A | C) ROW(AAM, O | A | C)
    ROW(DAA, O) ROW(DAS, O)
    ROW(AND, A) ROW(OR, A) ROW(XOR, A) ROW(TEST, A)
    ROW(BSF, C | O | S | A | P) ROW(BSR, C | O | S | A | P)
    ROW(BT, O | S | A | P) ROW(BTC, O | S | A | P) ROW(BTR, O | S | A | P) ROW(BTS, O | S | A | P)
    ROW(DIV, C | O | S | Z | A | P) ROW(IDIV, C | O | S | Z | A | P)
    ROW(IMUL, S | Z | A | P) ROW(MUL, S | Z | A | P)
    ROW(RCL, O) ROW(RCR, O) ROW(ROL, O) ROW(ROR, O)
    ROW(SHL, O | A | C) ROW(SHR, O | A | C) ROW(SAR, O | A | C)
    ROW(SHLD, O | A | C | S | Z | P) ROW(SHRD, O | A | C | S | Z | P)
    ROW(ANDN, A | P) ROW(BEXTR, S | A | P) ROW(BLSI, A | P) ROW(BLSMSK, A | P) ROW(BLSR, A | P)
    ROW(BZHI, A | P) ROW(LZCNT, O | S | A | P) ROW(TZCNT, O | S | A | P)
// clang-format on
#undef ROW
};

bool host_is_amd(void)
{
    static int known = -1;
    uint32_t a, b = 0, c, d;

    if (known < 0)
        known = __get_cpuid(0, &a, &b, &c, &d) && b == 0x68747541; /* Auth */
    return known;
}

uint32_t undefined_flags(ZydisMnemonic mnemonic)
{
    if (host_is_amd())
        return 0;
    for (unsigned i = 0; i < sizeof undefined / sizeof *undefined; i++) {
        if (undefined[i].mnemonic == mnemonic)
            return undefined[i].flags;
    }
    return 0;
}
