/* The canonical architectural state of an x86 CPU (Intel SDM volumes 1 and 3). */
#ifndef GUEST_X86_STATE_H
#define GUEST_X86_STATE_H

#include <stddef.h>
#include "exec/vcpu.h"
#include "guest/guest.h"

/* General registers in the order of their encodings. ORDER X86_GPR */
enum x86_gpr {
    X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
    X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15
};

/* Segment registers in the order of their encodings, then the two system segments. ORDER X86_SEG */
enum x86_seg { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_LDTR, X86_TR, X86_SEGS };

/* EFLAGS (SDM 1 3.4.3). */
enum x86_eflags {
    X86_CF = 1 << 0, X86_PF = 1 << 2, X86_AF = 1 << 4, X86_ZF = 1 << 6, X86_SF = 1 << 7,
    X86_TF = 1 << 8, X86_IF = 1 << 9, X86_DF = 1 << 10, X86_OF = 1 << 11, X86_IOPL = 3 << 12,
    X86_NT = 1 << 14, X86_RF = 1 << 16, X86_VM = 1 << 17, X86_AC = 1 << 18, X86_VIF = 1 << 19,
    X86_VIP = 1 << 20, X86_ID = 1 << 21,
};
#define X86_FLAGS_ALL   0x3f7fd5u /* all that exist but bit 1 */
#define X86_FLAGS_ARITH (X86_CF | X86_PF | X86_AF | X86_ZF | X86_SF | X86_OF)

/* A segment register with its hidden part. ATTR as in a descriptor's upper half, bits 8..23,
 * shifted down by 8: type 0..3, S 4, DPL 5..6, P 7, AVL 12, L 13, D/B 14, G 15. */
struct x86_segment {
    uint64_t base;
    uint32_t limit; /* in bytes, G applied */
    uint16_t selector, attr;
};
#define X86_ATTR_S   (1u << 4)
#define X86_ATTR_DPL(attr) ((attr) >> 5 & 3u)
#define X86_ATTR_P   (1u << 7)
#define X86_ATTR_L   (1u << 13)
#define X86_ATTR_DB  (1u << 14)
#define X86_ATTR_G   (1u << 15)

/* What the CPU waits for. */
enum x86_halted { X86_RUNNING, X86_HALTED, X86_SHUTDOWN /* a triple fault (SDM 3A 6.15): reset */ };

/* What may not come before the next instruction. */
enum x86_inhibit {
    X86_INHIBIT_INTR = 1, /* STI: external interrupts */
    X86_INHIBIT_SS = 2,   /* MOV SS, POP SS, LSS: debug exceptions and NMI too (SDM 3A 6.8.3) */
};

struct x86_table {
    uint64_t base;
    uint32_t limit;
};

/* What the arithmetic flags are the result of. Flags are kept as operation and operands, since
 * most are never looked at: see flags.h for what each operation stores. The operation is the low
 * byte of cc_op, CC_SIZED operations come as X + log2 of the operand's bytes. ORDER X86_CC */
enum x86_cc_op {
    X86_CC_FLAGS = 0,  /* cc_src holds them in their places of EFLAGS */
    X86_CC_LOGIC = 4,  /* of cc_dst; CF = OF = AF = 0 */
    X86_CC_ADD = 8,    /* cc_dst = a + cc_src */
    X86_CC_SUB = 12,   /* cc_dst = a - cc_src */
    X86_CC_ADC = 16,   /* cc_dst = cc_aux + cc_src + carry */
    X86_CC_SBB = 20,   /* cc_dst = cc_aux - cc_src - borrow */
    X86_CC_INC = 24,   /* cc_dst = a + 1; CF always in cc_cf */
    X86_CC_DEC = 28,   /* cc_dst = a - 1; CF always in cc_cf */
    X86_CC_SHL = 32,   /* cc_dst = cc_src << 1, cc_src being a << (count - 1) */
    X86_CC_SHR = 36,   /* cc_dst = cc_src >> 1, logical, cc_src being a >> (count - 1) */
    X86_CC_SAR = 40,   /* … arithmetic */
    X86_CC_BLS = 44,   /* of cc_dst; CF = cc_src (0 or 1), OF = AF = 0 (BMI1, BZHI) */
    X86_CC_OPS = 48,
    X86_CC_CF = 1 << 8, /* added: CF is bit 0 of cc_cf, the other flags as above */
    X86_CC_AF = 1 << 9, /* added to shifts: AF is 1 (else 0), undefined by the manuals */
    X86_CC_OF = 1 << 10, /* added together with CC_CF: OF is bit 1 of cc_cf (rotates, products) */
};

struct x86_state {
    /* Hottest first. */
    uint64_t gpr[16];
    uint64_t pc; /* linear address of the next instruction: CS base + rIP, cut to 32 bits outside
                  * 64-bit code */
    uint64_t cc_dst, cc_src, cc_aux;
    uint32_t cc_op, cc_cf;
    uint32_t eflags; /* all but X86_FLAGS_ARITH, which are 0 here */
    uint32_t mxcsr;  /* control and mask bits; the sticky flags are vcpu->fp.flags, see mxcsr.h */
    uint32_t mode;   /* enum x86_key_bits as far as it follows from the rest: x86_mode_update */
    uint32_t fp_sticky; /* scratch of operations with unmasked exceptions, see vector.c */
    uint32_t quick[6]; /* by segment: accesses of up to X86_QUICK_SIZE bytes at offsets below need no
                        * check; follows from the rest as MODE does */
    uint32_t inhibit; /* enum x86_inhibit, of the next instruction */

    _Alignas(32) uint8_t ymm[16][32];
    _Alignas(32) uint8_t scratch[4][32]; /* operands of helpers */

    /* x87 (SDM 1 8.1): the register stack in physical order, 10 bytes each. */
    _Alignas(16) uint8_t fpr[8][16];
    uint16_t fpcw, fpsw; /* TOP in its place in fpsw */
    uint16_t fptag;      /* bit n: physical register n is not empty */
    uint16_t fpop;       /* last opcode, 11 bits */
    uint64_t fpip, fpdp; /* last instruction and data pointer */
    uint16_t fpcs, fpds;
    /* Of an x87 store between computing its value and having stored it: the status word and tags
     * then, and the upper 16 bits of an 80-bit value. */
    uint16_t fpsw_next, fptag_next, fp_high;

    struct x86_segment seg[X86_SEGS];
    struct x86_table gdtr, idtr;

    uint64_t cr0, cr2, cr3, cr4, cr8;
    uint64_t dr[8];
    uint64_t xcr0, efer;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t tsc_offset, tsc_aux, apic_base, pat, misc_enable, tsc_deadline;
    uint64_t mtrr_def_type, mtrr_fix[11], mtrr_base[8], mtrr_mask[8];
    uint64_t pdpte[4]; /* PAE's page-directory pointers, loaded with CR3 (SDM 3A 4.4.1) */
    uint32_t error_code; /* of the exception being delivered */
    uint32_t halted;     /* enum x86_halted */
    uint32_t nmi_blocked; /* an NMI is being served: until IRET */
    uint32_t debug_hits; /* data and I/O breakpoints that the running instruction met: bits 0..3 */
    uint32_t step_masked; /* it has masked TF for itself (SYSCALL) */
    uint32_t bare;       /* of an engine with NW_EXC_BARE; see bare.h */

    const struct x86_model *model;

    /* Of AVX-512: storage that no instruction uses, for who saves and restores all registers. */
    uint64_t opmask[8];
    _Alignas(32) uint8_t zmm_high[16][32]; /* the upper halves of zmm0..15 */
    uint8_t zmm_more[16][64];              /* zmm16..31 */
};
_Static_assert(offsetof(struct x86_state, opmask) <= VCPU_STATE_SIZE &&
                   sizeof(struct x86_state) <= VCPU_STATE_SIZE + VCPU_COLD_SIZE,
               "state fits its area");

#define X86_QUICK_SIZE 32

static inline struct x86_state *x86_of(struct nw_vcpu *vcpu)
{
    return (struct x86_state *)vcpu->state;
}

#define X86_OFF(field) ((uint32_t)offsetof(struct x86_state, field))
#define X86_OFF_GPR(n) (X86_OFF(gpr) + 8 * (uint32_t)(n))
#define X86_OFF_YMM(n) (X86_OFF(ymm) + 32 * (uint32_t)(n))

/* The mode word of a block key. Whatever changes the meaning of guest bytes or of their effects. */
enum x86_key_bits {
    X86_KEY_CODE64 = 1 << 0,  /* 64-bit code */
    X86_KEY_CODE32 = 1 << 1,  /* CS.D: 32-bit code; neither: 16-bit code */
    X86_KEY_STACK32 = 1 << 2, /* SS.B: ESP; else SP (64-bit code: RSP, bit clear) */
    X86_KEY_PROT = 1 << 3,    /* CR0.PE */
    X86_KEY_VM86 = 1 << 4,
    X86_KEY_CPL = 3 << 5,
    X86_KEY_LONG = 1 << 7,    /* EFER.LMA */
    X86_KEY_CS_FLAT = 1 << 8, /* CS base 0 and limit 4 GiB (always set in 64-bit code) */
    X86_KEY_SEG_FLAT = 1 << 9, /* DS, ES and SS: base 0, limit 4 GiB, writable or readable (always
                                * set in 64-bit code); FS and GS are never taken for flat */
    X86_KEY_SSE = 1 << 10,    /* CR4.OSFXSR and not CR0.EM: SSE instructions work */
    X86_KEY_AVX = 1 << 11,    /* CR4.OSXSAVE, XCR0 has SSE and AVX */
    X86_KEY_TS = 1 << 12,     /* CR0.TS */
    X86_KEY_EM = 1 << 13,     /* CR0.EM or no x87 */
    X86_KEY_FP_TRAP = 1 << 14, /* MXCSR unmasks something: each SSE operation is checked */
    X86_KEY_AC = 1 << 15,     /* CR0.AM, EFLAGS.AC and CPL 3: alignment is checked */
    X86_KEY_IOPL = 3 << 16,
    X86_KEY_TF = 1 << 18,     /* EFLAGS.TF: blocks of one instruction, #DB after each */
    X86_KEY_BREAK = 1 << 19,  /* DR7 has an enabled breakpoint: accesses and fetches are compared */
    X86_KEY_INHIBIT = 1 << 20, /* inhibit is 1: a block of one instruction */
    X86_KEY_SMAP_AC = 1 << 21, /* supervisor accesses to user pages are allowed (EFLAGS.AC) */
    X86_KEY_OSFXSR_OFF = 1 << 22, /* CR4.OSFXSR clear (of legacy SSE state rules) */
    X86_KEY_RF = 1 << 23,     /* EFLAGS.RF: instruction breakpoints off for one instruction */
    X86_KEY_MF = 1 << 24,     /* an unmasked x87 exception is pending: waiting instructions raise it */
};

#endif
