/* Registers, interrupt lines and special calls of the ARM guest. */
#ifndef NARWHAL_ARM_H
#define NARWHAL_ARM_H

#include <narwhal/narwhal.h>

#ifdef __cplusplus
extern "C" {
#endif

enum nw_arm_reg {
    NW_ARM_R0 = 0, /* r0..r15 are 0..15, of the current mode */
    NW_ARM_SP = 13,
    NW_ARM_LR = 14,
    NW_ARM_PC = 15, /* the address of the next instruction, bit 0 clear; writing keeps the state */
    NW_ARM_CPSR = 16,
    NW_ARM_SPSR = 17,
    NW_ARM_FPSCR = 18,
    NW_ARM_FPEXC = 19,
    NW_ARM_FPSID = 20,
    NW_ARM_TPIDRURW = 21,
    NW_ARM_TPIDRURO = 22,
    NW_ARM_TPIDRPRW = 23,
    NW_ARM_CPACR = 24,
    /* A word for whoever serves exceptions to say what the last one was; the engine only keeps it. */
    NW_ARM_SYNDROME = 25,
    NW_ARM_D0 = 32, /* d0..d31 are 32..63 */
    NW_ARM_S0 = 64, /* s0..s31 are 64..95 */
    NW_ARM_BIG_ENDIAN_CODE = 96, /* SCTLR.B. 1: instructions are fetched in big-endian order, as BE-32 systems do */
    /* 1: with SCTLR.B, memory holds words in the order of CPSR.E, and a byte or halfword is at the other end of
     * its word: its address has the lowest bits inverted. 0: memory is bytes in the guest's order. */
    NW_ARM_WORD_INVARIANT = 97,
    /* M profile: those of the security state that the CPU is in */
    NW_ARM_XPSR = 98,
    NW_ARM_MSP = 99,
    NW_ARM_PSP = 100,
    NW_ARM_PRIMASK = 101,
    NW_ARM_BASEPRI = 102,
    NW_ARM_FAULTMASK = 103,
    NW_ARM_CONTROL = 104,
    NW_ARM_MSPLIM = 105,
    NW_ARM_PSPLIM = 106,
    NW_ARM_BX = 107, /* pc with bit 0 set in Thumb state; writing goes there in that state, as BX does */
    NW_ARM_REG_END = 108,
};

enum nw_arm_irq { NW_ARM_IRQ = 0, NW_ARM_FIQ = 1 };

/* A coprocessor register, as MRC and MCR name it; with WIDE as MRRC and MCRR do. */
typedef struct nw_arm_cp {
    uint32_t cp;
    bool wide;
    uint32_t opc1, crn, crm, opc2; /* with WIDE opc1 and crm only */
    bool other_state; /* the register of the other security state, which the CPU never is in, where there
                       * are two */
} nw_arm_cp;

/* What a privileged MRC would read and MCR write, and what identifies the CPU to a hypervisor; bits that
 * instructions only set or clear are written as they are. NW_ERR_ARG: the CPU has no such register, or
 * not for that. NW_ERR_BUSY: running. */
NW_API nw_status nw_arm_cp_read(nw_vcpu *, const nw_arm_cp *, uint64_t *value);
NW_API nw_status nw_arm_cp_write(nw_vcpu *, const nw_arm_cp *, uint64_t value);

/* Engines with NW_EXC_BARE: vCPUs begin in supervisor mode with A, I and F set and floating point
 * disabled; FPEXC alone enables it for privileged modes, whatever CPACR says. Supervisor calls are
 * NW_EXIT_SYSCALL, breakpoints NW_EXIT_BREAKPOINT, and SMC is NW_EXIT_EXCEPTION, its error the immediate,
 * its pc the next instruction. Aborts by the guest's MMU are NW_EXIT_EXCEPTION at the instruction, with
 * the fault registers set.
 *
 * CPUs of M profile (cortex-m0, m3, m4, m7, m33) begin in privileged Thread mode, Secure, with floating point
 * enabled, in other engines in unprivileged Thread mode. Their exceptions and exception returns leave the run
 * in all engines: stacking frames, vectors and interrupts are the caller's. With CPSR.T clear they are
 * NW_EXIT_UNDEFINED, whose code is 2. There is neither a system control space nor an MPU. */
enum nw_arm_exception {
    NW_ARM_EXC_PREFETCH_ABORT = 3, /* the guest's MMU has refused a fetch, the error is IFSR; M profile: the memory
                                    * map has no code there */
    NW_ARM_EXC_DATA_ABORT = 4,     /* … an access; the error is the fault status without the direction */
    NW_ARM_EXC_RETURN = 8,         /* M profile: the pc is an EXC_RETURN or FNC_RETURN; nothing is unstacked */
    NW_ARM_EXC_SMC = 13,
    NW_ARM_EXC_NOCP = 17,          /* M profile: a coprocessor that is not there */
    NW_ARM_EXC_STACK = 19,         /* M profile: the stack pointer would be below its limit */
};

#ifdef __cplusplus
}
#endif

#endif
