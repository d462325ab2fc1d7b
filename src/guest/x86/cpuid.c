#include "guest/x86/cpuid.h"

#include <string.h>
#include "guest/x86/model.h"
#include "guest/x86/system.h"

enum { EAX, EBX, ECX, EDX };

#define EXTENDED 0x80000000u

#define XCR0_AVX     4u
#define XSAVE_LEGACY 576u /* bytes of the legacy area and the header */
#define XSAVE_AVX    256u
#define PHYSICAL     40u /* address bits */

/* Where CPUID reports a feature. No local APIC: boards have none yet. */
static const struct {
    uint32_t leaf;
    uint8_t sub, reg, bit, feature;
} bits[] = {
    {1, 0, EDX, 0, X86_F_X87},
    {1, 0, EDX, 2, X86_F_BASE}, /* DE */
    {1, 0, EDX, 3, X86_F_PSE},
    {1, 0, EDX, 4, X86_F_BASE}, /* TSC */
    {1, 0, EDX, 5, X86_F_BASE}, /* MSR */
    {1, 0, EDX, 6, X86_F_PAE},
    {1, 0, EDX, 7, X86_F_BASE}, /* MCE */
    {1, 0, EDX, 8, X86_F_CX8},
    {1, 0, EDX, 11, X86_F_SEP},
    {1, 0, EDX, 12, X86_F_BASE}, /* MTRR */
    {1, 0, EDX, 13, X86_F_PGE},
    {1, 0, EDX, 14, X86_F_BASE}, /* MCA */
    {1, 0, EDX, 15, X86_F_CMOV},
    {1, 0, EDX, 16, X86_F_BASE}, /* PAT */
    {1, 0, EDX, 17, X86_F_PSE},  /* PSE-36 */
    {1, 0, EDX, 19, X86_F_CLFSH},
    {1, 0, EDX, 23, X86_F_MMX},
    {1, 0, EDX, 24, X86_F_FXSR},
    {1, 0, EDX, 25, X86_F_SSE},
    {1, 0, EDX, 26, X86_F_SSE2},
    {1, 0, ECX, 0, X86_F_SSE3},
    {1, 0, ECX, 1, X86_F_PCLMUL},
    {1, 0, ECX, 3, X86_F_MONITOR},
    {1, 0, ECX, 9, X86_F_SSSE3},
    {1, 0, ECX, 12, X86_F_FMA},
    {1, 0, ECX, 13, X86_F_CX16},
    {1, 0, ECX, 17, X86_F_PCID},
    {1, 0, ECX, 19, X86_F_SSE41},
    {1, 0, ECX, 20, X86_F_SSE42},
    {1, 0, ECX, 22, X86_F_MOVBE},
    {1, 0, ECX, 23, X86_F_POPCNT},
    {1, 0, ECX, 25, X86_F_AES},
    {1, 0, ECX, 26, X86_F_XSAVE},
    {1, 0, ECX, 28, X86_F_AVX},
    {1, 0, ECX, 29, X86_F_F16C},
    {1, 0, ECX, 30, X86_F_RDRAND},
    {7, 0, EBX, 0, X86_F_FSGSBASE},
    {7, 0, EBX, 3, X86_F_BMI1},
    {7, 0, EBX, 5, X86_F_AVX2},
    {7, 0, EBX, 7, X86_F_SMEP},
    {7, 0, EBX, 8, X86_F_BMI2},
    {7, 0, EBX, 9, X86_F_ERMS},
    {7, 0, EBX, 10, X86_F_INVPCID},
    {7, 0, EBX, 18, X86_F_RDSEED},
    {7, 0, EBX, 19, X86_F_ADX},
    {7, 0, EBX, 20, X86_F_SMAP},
    {7, 0, EBX, 23, X86_F_CLFLUSHOPT},
    {7, 0, EBX, 24, X86_F_CLWB},
    {7, 0, EBX, 29, X86_F_SHA},
    {7, 0, ECX, 2, X86_F_UMIP},
    {7, 0, ECX, 8, X86_F_GFNI},
    {7, 0, ECX, 9, X86_F_VAES},
    {7, 0, ECX, 10, X86_F_VPCLMUL},
    {7, 0, ECX, 22, X86_F_RDPID},
    {7, 0, EDX, 4, X86_F_FSRM},
    {0xd, 1, EAX, 0, X86_F_XSAVEOPT},
    {0xd, 1, EAX, 1, X86_F_XSAVEC},
    {0xd, 1, EAX, 2, X86_F_XSAVEC}, /* XGETBV with ECX = 1 */
    {0xd, 1, EAX, 3, X86_F_XSAVES},
    {EXTENDED + 1, 0, ECX, 0, X86_F_LAHF64},
    {EXTENDED + 1, 0, ECX, 5, X86_F_LZCNT},
    {EXTENDED + 1, 0, ECX, 6, X86_F_SSE4A},
    {EXTENDED + 1, 0, ECX, 8, X86_F_PREFETCHW},
    {EXTENDED + 1, 0, EDX, 11, X86_F_SYSCALL},
    {EXTENDED + 1, 0, EDX, 20, X86_F_NX},
    {EXTENDED + 1, 0, EDX, 26, X86_F_PDPE1GB},
    {EXTENDED + 1, 0, EDX, 27, X86_F_RDTSCP},
    {EXTENDED + 1, 0, EDX, 29, X86_F_LM},
};

/* Of leaf 1, EDX: what AMD repeats in leaf 80000001H. */
#define AMD_REPEATED 0x0183f3ffu

static void put_features(const struct x86_model *m, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        if (bits[i].leaf == leaf && bits[i].sub == sub && x86_model_has(m, bits[i].feature))
            out[bits[i].reg] |= 1u << bits[i].bit;
}

static void put_vendor(const struct x86_model *m, uint32_t out[4])
{
    const char *name = x86_model_vendor(m);
    memcpy(&out[EBX], name, 4);
    memcpy(&out[EDX], name + 4, 4);
    memcpy(&out[ECX], name + 8, 4);
}

/* Family, model, stepping (SDM 2A, figure 3-6). */
static uint32_t signature(const struct x86_model *m)
{
    uint32_t family = m->family < 15 ? m->family : 15;
    uint32_t more = m->family < 15 ? 0 : m->family - 15u;
    return more << 20 | (m->number >> 4 & 15u) << 16 | family << 8 | (m->number & 15u) << 4 |
           (m->stepping & 15u);
}

static void leaf_1(struct nw_vcpu *vcpu, uint32_t out[4])
{
    const struct x86_state *s = x86_of(vcpu);
    out[EAX] = signature(s->model);
    out[EBX] = 1u << 16 | 8u << 8; /* one CPU; CLFLUSH: 8 × 8 bytes */
    if (s->cr4 & X86_CR4_OSXSAVE)
        out[ECX] |= 1u << 27;
}

/* Deterministic cache parameters (SDM 2A leaf 04H, AMD leaf 8000001DH), three levels. */
static void cache_leaf(uint32_t sub, uint32_t out[4])
{
    static const struct {
        uint8_t type, level, ways; /* type 1: data, 2: code, 3: both */
        uint32_t kib;
    } caches[] = {{1, 1, 8, 32}, {2, 1, 8, 32}, {3, 2, 8, 512}, {3, 3, 16, 8192}};
    if (sub >= ARRAY_LEN(caches))
        return;
    uint32_t line = 64, ways = caches[sub].ways;
    out[EAX] = caches[sub].type | (uint32_t)caches[sub].level << 5 | 1u << 8;
    out[EBX] = (line - 1) | (ways - 1) << 22;
    out[ECX] = caches[sub].kib * 1024 / line / ways - 1;
}

/* State that XSAVE keeps (SDM 2A leaf 0DH). */
static void xsave_leaf(struct nw_vcpu *vcpu, uint32_t sub, uint32_t out[4])
{
    const struct x86_state *s = x86_of(vcpu);
    bool avx = x86_model_has(s->model, X86_F_AVX);
    if (!x86_model_has(s->model, X86_F_XSAVE)) {
        out[EAX] = 0;
        return;
    }
    uint32_t enabled = XSAVE_LEGACY + (s->xcr0 & XCR0_AVX ? XSAVE_AVX : 0);
    if (sub == 0) {
        out[EAX] = avx ? 7 : 3;
        out[EBX] = enabled;
        out[ECX] = XSAVE_LEGACY + (avx ? XSAVE_AVX : 0);
    } else if (sub == 1) {
        if (x86_model_has(s->model, X86_F_XSAVEC))
            out[EBX] = enabled;
    } else if (sub == 2 && avx) {
        out[EAX] = XSAVE_AVX;
        out[EBX] = XSAVE_LEGACY;
    }
}

static void basic_leaf(struct nw_vcpu *vcpu, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    const struct x86_model *m = x86_of(vcpu)->model;
    bool amd = m->vendor == X86_VENDOR_AMD;
    switch (leaf) {
    case 0:
        out[EAX] = 0xd;
        put_vendor(m, out);
        break;
    case 1: leaf_1(vcpu, out); break;
    case 2:
        if (!amd) {
            out[EAX] = 1;
            out[EDX] = 0xff; /* see leaf 4 */
        }
        break;
    case 4:
        if (!amd)
            cache_leaf(sub, out);
        break;
    case 0xd: xsave_leaf(vcpu, sub, out); break;
    default: break;
    }
}

static void extended_leaf(struct nw_vcpu *vcpu, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    const struct x86_model *m = x86_of(vcpu)->model;
    bool amd = m->vendor == X86_VENDOR_AMD, wide = vcpu->guest->addr_type == IR_I64;
    char brand[48] = {0};
    switch (leaf) {
    case EXTENDED:
        out[EAX] = amd ? EXTENDED + 0x1d : EXTENDED + 8;
        if (amd)
            put_vendor(m, out);
        break;
    case EXTENDED + 1:
        if (amd) {
            uint32_t first[4] = {0};
            put_features(m, 1, 0, first);
            out[EAX] = signature(m);
            out[EDX] |= first[EDX] & AMD_REPEATED;
        }
        if (!wide) { /* no long mode, nor SYSCALL, which such a CPU has not */
            out[EDX] &= ~(1u << 29 | 1u << 11);
            out[ECX] &= ~1u;
        }
        break;
    case EXTENDED + 2:
    case EXTENDED + 3:
    case EXTENDED + 4:
        memcpy(brand, m->brand, strnlen(m->brand, sizeof brand - 1));
        memcpy(out, brand + (leaf - EXTENDED - 2) * 16, 16);
        break;
    case EXTENDED + 5:
        if (amd)
            out[ECX] = out[EDX] = 32u << 24 | 8u << 16 | 1u << 8 | 64;
        break;
    case EXTENDED + 6: out[ECX] = 512u << 16 | 6u << 12 | 64; break;
    case EXTENDED + 7: out[EDX] = 1u << 8; break; /* the TSC runs at one rate */
    case EXTENDED + 8: out[EAX] = PHYSICAL | (wide ? 48u : 32u) << 8; break;
    case EXTENDED + 0x1d:
        if (amd)
            cache_leaf(sub, out);
        break;
    default: break;
    }
}

void x86_cpuid(struct nw_vcpu *vcpu, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    const struct x86_model *m = x86_of(vcpu)->model;
    memset(out, 0, 4 * sizeof *out);
    /* Beyond the last basic leaf an Intel CPU repeats it; an AMD one gives zeros. */
    if (leaf > 0xd && leaf < EXTENDED && m->vendor == X86_VENDOR_INTEL)
        leaf = 0xd;
    put_features(m, leaf, leaf == 7 || leaf == 0xd ? sub : 0, out);
    if (leaf >= EXTENDED)
        extended_leaf(vcpu, leaf, sub, out);
    else
        basic_leaf(vcpu, leaf, sub, out);
}
