/* The canonical architectural state of a 32-bit ARM CPU (ARM DDI 0406C). */
#ifndef GUEST_ARM_STATE_H
#define GUEST_ARM_STATE_H

#include <stddef.h>
#include "exec/vcpu.h"
#include "guest/guest.h"

enum arm_mode {
    ARM_USR = 0x10, ARM_FIQ = 0x11, ARM_IRQ = 0x12, ARM_SVC = 0x13,
    ARM_ABT = 0x17, ARM_UND = 0x1b, ARM_SYS = 0x1f,
};

/* Index of a bank: usr/sys share one. ORDER ARM_BANK */
enum arm_bank { ARM_BANK_USR, ARM_BANK_FIQ, ARM_BANK_IRQ, ARM_BANK_SVC, ARM_BANK_ABT, ARM_BANK_UND, ARM_BANKS };

/* What a CPU model has. */
enum arm_feature {
    ARM_F_V5 = 1 << 0,
    ARM_F_V6 = 1 << 1,      /* media, REV, LDREX, unaligned accesses, SETEND, CPS */
    ARM_F_V6K = 1 << 2,     /* LDREXB/H/D, CLREX, TLS registers, hints */
    ARM_F_V6T2 = 1 << 3,    /* Thumb-2, MOVW/MOVT, bit fields */
    ARM_F_V7 = 1 << 4,      /* DMB/DSB/ISB, PLI */
    ARM_F_DIV_T = 1 << 5,   /* SDIV/UDIV in Thumb */
    ARM_F_DIV_A = 1 << 6,   /* … and in A32 */
    ARM_F_VFP2 = 1 << 7,
    ARM_F_VFP3 = 1 << 8,    /* VMOV immediate, fixed-point conversions */
    ARM_F_VFP4 = 1 << 9,    /* fused multiply-add */
    ARM_F_HALF = 1 << 10,   /* half-precision conversions */
    ARM_F_MP = 1 << 11,     /* PLDW */
    ARM_F_D32 = 1 << 12,    /* 32 double registers */
    ARM_F_NEON = 1 << 13,   /* Advanced SIMD */
    ARM_F_DP = 1 << 14,     /* arithmetic of double precision */
    ARM_F_DSP = 1 << 15,    /* Thumb has saturating and parallel arithmetic and the like */
    ARM_F_AR = 1 << 16,     /* A or R profile: ARM state, modes, CPSR, coprocessors */
    ARM_F_M = 1 << 17,      /* M profile */
    ARM_F_M_MAIN = 1 << 18, /* … with more than v6-M: BASEPRI, FAULTMASK, nPRIV, NOCP, XN */
    ARM_F_M_V8 = 1 << 19,   /* … stack limits, LDA, STL */
    ARM_F_M_SEC = 1 << 29,  /* … the Security Extension */
    ARM_F_VFP_V8 = 1 << 30, /* VSEL, VMAXNM, VRINT, VCVTA */
    /* What decides which system registers there are. */
    ARM_F_LPAE = 1 << 20,   /* long descriptors, PXN, generic timer */
    ARM_F_SEC = 1 << 21,    /* security extensions; the CPU is in the non-secure state */
    ARM_F_PMSA = 1 << 22,   /* a protection unit instead of an MMU */
    ARM_F_XSCALE = 1 << 23,
    ARM_F_OMAP = 1 << 24,   /* TI925T */
    ARM_F_TEST_CLEAN = 1 << 25, /* cache operations that say in the flags when they are done */
    ARM_F_RANGES = 1 << 26, /* cache operations on ranges */
    ARM_F_C15 = 1 << 27,    /* all of c15 reads as zero */
    ARM_F_1026 = 1 << 28,
    ARM_F_M_ANY = ARM_F_M | ARM_F_M_MAIN | ARM_F_M_V8 | ARM_F_M_SEC,
};

/* Registers of M profile that each security state has. */
struct arm_m_bank {
    uint32_t sp[2];    /* main, process; the one in use is in r[13] instead */
    uint32_t limit[2]; /* theirs, v8-M */
    uint32_t primask, basepri, faultmask;
    uint32_t control; /* FPCA and SFPA: in the first bank only */
};

struct arm_state {
    uint32_t r[16];        /* of the current mode; r[15] = address of the next instruction to run */
    uint32_t nzcv;         /* N=8 Z=4 C=2 V=1 */
    uint32_t q;            /* 0 or 1 */
    uint32_t ge;           /* 4 bits */
    uint32_t thumb;        /* CPSR.T, 0 or 1 */
    uint32_t itstate;      /* CPSR.IT; the aux word of ir_insn_start */
    uint32_t big_endian;   /* CPSR.E, 0 or 1 */
    uint32_t control;      /* CPSR bits 8..6 (A, I, F) and 4..0 (mode), in place */
    uint32_t idle;         /* CPSR bits that mean nothing here, in place: 24..20; in ARM state IT too */

    uint32_t excl_addr;    /* address of the open exclusive access */
    uint32_t excl_size;    /* its bytes, 0: none open */
    uint64_t excl_value;   /* what was loaded: STREX compares and swaps */

    uint32_t fpscr_nzcv;   /* flags nibble of FPSCR */
    uint32_t fpscr;        /* FPSCR but for NZCV and the sticky flags (vcpu->fp.flags) */
    uint32_t qc;           /* FPSCR.QC where not 0; or in vcpu->fp.flags */
    uint32_t fpexc;
    _Alignas(16) uint64_t d[32]; /* s[i] is half i & 1 of d[i / 2] */

    uint32_t bank_sp[ARM_BANKS], bank_lr[ARM_BANKS], spsr[ARM_BANKS];
    uint32_t bank_r8[2][5]; /* r8..r12: [0] of every mode but FIQ, [1] of FIQ */

    struct arm_m_bank m[2]; /* M profile: [1] is that of Non-secure state */
    uint32_t m_nonsecure;   /* the security state, 0 also where there is but one */
    uint32_t m_limit;       /* of the stack pointer in use */
    uint32_t m_ipsr;        /* the exception that is handled, 9 bits; 0: Thread mode */

    uint32_t features;     /* enum arm_feature */
    uint32_t model;        /* private to models.c */
    uint32_t midr, ctr, fpsid, mvfr0, mvfr1;
    uint32_t bare;         /* NW_EXC_BARE: privileged modes need not ask CPACR; SMC is an exit. 0 or 1 */
    uint32_t word_invariant; /* big-endian memory (SCTLR.B) keeps words as little-endian memory has them, 0 or 1 */
    uint32_t actlr, cpacr, cntkctl, cntv_ctl;
    uint32_t dbg_bvr[6], dbg_bcr[6], dbg_wvr[4], dbg_wcr[4], dbgdscr, oslsr; /* coprocessor 14 */
    uint32_t teecr, teehbr;
    uint64_t cntv_cval;
    uint32_t lockdown[2];
    uint32_t pmcr, pmcnten, pmovsr, pmselr, pmccntr, pmxevtyper, pmxevcntr, pmuserenr, pminten, pmccfiltr;
    uint32_t pmevcntr[4], pmevtyper[4];
    uint32_t impl[8];      /* registers of single models, c15 of XScale and TI925T, PMSA */
    uint32_t mpu[16][3];   /* regions of a protection unit: DRBAR, DRSR, DRACR; of older ones one register */
    uint32_t mpu_number;   /* RGNR, at most 15 */
    uint32_t syndrome;     /* NW_ARM_SYNDROME */

    /* System registers of which each security state has its own; see ARM_OTHER_BANK. */
    uint64_t ttbr0, ttbr1, par, cntp_cval;
    uint32_t sctlr, ttbcr, dacr, dfsr, ifsr, dfar, ifar, prrr, nmrr, vbar, fcse, contextidr, csselr, cntp_ctl;
    uint32_t tpidrurw, tpidruro, tpidrprw;
    uint64_t other_bank[13]; /* the same of the other state: only debuggers see them */
};
_Static_assert(sizeof(struct arm_state) <= VCPU_STATE_SIZE, "state fits its area");

static inline struct arm_state *arm_of(struct nw_vcpu *vcpu)
{
    return (struct arm_state *)vcpu->state;
}

/* The mode word of a block key. */
#define ARM_KEY_THUMB   (1u << 0)
#define ARM_KEY_PRIV    (1u << 1)  /* privileged: MMU index 1 */
#define ARM_KEY_BE      (1u << 2)
#define ARM_KEY_FZ      (1u << 3)  /* FPSCR.FZ: floating point through fp/soft.h only */
#define ARM_KEY_VFP     (1u << 4)  /* VFP is enabled (CPACR, FPEXC.EN) */
#define ARM_KEY_ALIGN   (1u << 5)  /* SCTLR.A: every access is checked */
#define ARM_KEY_BIG_CODE (1u << 6) /* SCTLR.B: instructions are big-endian */
#define ARM_KEY_BE32    (1u << 7)  /* bytes and halfwords are at the other end of their words */
#define ARM_KEY_M_HANDLER   (1u << 23) /* Handler mode: EXC_RETURN is one */
#define ARM_KEY_M_LIMIT     (1u << 21) /* the stack pointer in use has a limit */
#define ARM_KEY_M_NONSECURE (1u << 22)
#define ARM_KEY_VECLEN(n) ((uint32_t)(n) << 16) /* FPSCR.LEN/STRIDE, 5 bits: short vectors */
#define ARM_KEY_NEON    (1u << 24) /* Advanced SIMD is enabled */
#define ARM_KEY_D32     (1u << 26) /* there are 32 double registers */
#define ARM_KEY_ROUND   (1u << 25) /* FPSCR rounds otherwise than to nearest */
#define ARM_KEY_IT(it)  ((uint32_t)(it) << 8) /* 8 bits */

#define ARM_OFF(field)  ((uint32_t)offsetof(struct arm_state, field))

/* From a banked register to that of the other security state. */
#define ARM_OTHER_BANK (ARM_OFF(other_bank) - ARM_OFF(ttbr0))
_Static_assert(ARM_OFF(tpidrprw) + 4 - ARM_OFF(ttbr0) <= sizeof(((struct arm_state *)0)->other_bank), "banks are of one size");

/* ITAdvance, ARM DDI 0406C A2.5.2 */
static inline uint8_t arm_it_advance(uint8_t it)
{
    return it & 7 ? (uint8_t)((it & 0xe0) | (it << 1 & 0x1f)) : 0;
}

uint32_t arm_cpsr_read(const struct arm_state *);
/* Writes all fields that MASK selects, switching banks when the mode changes. */
void arm_cpsr_write(struct arm_state *, uint32_t value, uint32_t mask);
/* As an instruction does it: what that may not change stays. */
void arm_cpsr_write_by_insn(struct arm_state *, uint32_t value, uint32_t mask);

#define ARM_FPEXC_EN (1u << 30)
#define ARM_SCTLR_B  (1u << 7)
#define ARM_CPSR_IDLE 0x01f00000u
#define ARM_CPSR_IT   0x0600fc00u

/* FPSCR as one word: its parts are in the state and in vcpu->fp. On the vCPU's thread. */
uint32_t arm_fpscr_read(struct nw_vcpu *);
/* Bits that the CPU does not have are ignored. Changes the block key. */
void arm_fpscr_write(struct nw_vcpu *, uint32_t value);
/* May the current mode use VFP as far as CPACR says? */
bool arm_vfp_permitted(const struct arm_state *);
/* The VFP bits of the mode word: ARM_KEY_VFP, ARM_KEY_NEON, ARM_KEY_FZ, ARM_KEY_ROUND,
 * ARM_KEY_D32, ARM_KEY_VECLEN. */
uint32_t arm_vfp_key_enabled(const struct arm_state *);
static inline uint32_t arm_vfp_key(const struct arm_state *s)
{
    return s->fpexc & ARM_FPEXC_EN || s->features & ARM_F_M ? arm_vfp_key_enabled(s) : 0;
}

#endif
