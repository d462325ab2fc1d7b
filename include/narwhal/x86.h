/* Registers, interrupt lines and special calls of the x86 guests. */
#ifndef NARWHAL_X86_H
#define NARWHAL_X86_H

#include <narwhal/narwhal.h>

#ifdef __cplusplus
extern "C" {
#endif

enum nw_x86_reg {
    NW_X86_RAX = 0, /* rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8..r15 are 0..15 */
    NW_X86_RSP = 4,
    NW_X86_RIP = 16,    /* offset in the code segment of the next instruction */
    NW_X86_RFLAGS = 17, /* writing keeps bit 1 set and reserved bits clear */
    NW_X86_MXCSR = 18,  /* writing a reserved bit is NW_ERR_ARG */
    NW_X86_FPCW = 19,
    NW_X86_FPSW = 20, /* TOP included */
    NW_X86_FPTAG = 21, /* the 16-bit tag word, two bits per register */
    NW_X86_XCR0 = 22,
    NW_X86_EFER = 23,
    NW_X86_ES = 24, /* selectors of es, cs, ss, ds, fs, gs, ldtr, tr are 24..31; writing does as in
                     * real or virtual-8086 mode where the CPU is in it, else changes the selector
                     * alone */
    NW_X86_ES_BASE = 32,  /* bases, in the same order, 32..39 */
    NW_X86_FS_BASE = 36,
    NW_X86_GS_BASE = 37,
    NW_X86_ES_LIMIT = 40, /* limits in bytes, 40..47 */
    NW_X86_ES_ATTR = 48,  /* bits 8..23 of a descriptor's upper half, shifted down by 8: 48..55 */
    NW_X86_GDTR_BASE = 56,
    NW_X86_GDTR_LIMIT = 57,
    NW_X86_IDTR_BASE = 58,
    NW_X86_IDTR_LIMIT = 59,
    NW_X86_KERNEL_GS_BASE = 60,
    NW_X86_PC = 61, /* linear address of the next instruction */
    NW_X86_CR0 = 64, /* cr0..cr4, cr8 are 64 + n */
    NW_X86_FIP = 73, /* of the last x87 instruction: offset and selector of its code … */
    NW_X86_FCS = 74,
    NW_X86_FDP = 75, /* … and of its memory operand, … */
    NW_X86_FDS = 76,
    NW_X86_FOP = 77, /* … and its opcode, 11 bits */
    NW_X86_DR0 = 80, /* dr0..dr7 are 80 + n */
    NW_X86_ST0 = 96, /* the mantissas of st(0)..st(7) are 96..103 */
    NW_X86_ST0_EXP = 104, /* sign and exponent, 16 bits: 104..111 */
    NW_X86_YMM0 = 112, /* the four 64-bit words of ymm n are 112 + 4 * n.. */
    NW_X86_K0 = 176,   /* AVX-512's registers: storage that no instruction uses. k0..k7 */
    NW_X86_ZMM0 = 192, /* the eight 64-bit words of zmm n are 192 + 8 * n..; those of ymm n are first */
    NW_X86_REG_END = 448,
};

/* What NW_EXC_EXIT engines make of software interrupts: INT 80H is NW_EXIT_SYSCALL with that code, as
 * SYSCALL is with code 0; others are #GP with the vector's error code, as under a kernel that allows
 * none; in real mode each is NW_EXIT_EXCEPTION with its vector, pc behind it. A #DB that is a fault
 * has error 1, but for instruction breakpoints. */

/* Interrupt lines of nw_vcpu_set_irq, for NW_EXC_GUEST engines. INTR is a level, see
 * nw_vcpu_set_int_ack; NMI an edge: taking it lowers the line. SMI has no effect. */
enum nw_x86_irq { NW_X86_INTR = 0, NW_X86_NMI = 1, NW_X86_SMI = 2 };

/* ---- bare CPUs: NW_EXC_BARE ----
 *
 * Every exception is NW_EXIT_EXCEPTION with its vector and error code; page faults set CR2. pc is at
 * the instruction for faults, behind it for traps. INT n, INT3, INTO and INT1 are traps whose error
 * is NW_X86_SOFT. SYSCALL and SYSENTER are NW_EXIT_SYSCALL, pc behind them, and change no register.
 *
 * Where it differs from a processor: segments have bases, but no limits and no types, and a null
 * selector names a segment with base 0; without paging 64-bit code has physical addresses of 64 bits,
 * canonical or not; ports that nothing is connected to and MSRs that do not exist read as 0 and
 * ignore writes; SSE exceptions do not trap while CR4.OSXMMEXCPT is clear, nor those of the x87 unit
 * while CR0.NE is; an FPCW of 0, as it is at first, works as the one that FNINIT sets, and a push
 * to a full x87 stack overwrites a register. */
#define NW_X86_SOFT (1u << 31)
enum nw_x86_syscall { NW_X86_SYSCALL = 0, NW_X86_SYSENTER = 1 };

/* Sets a bare CPU up anew for code of BITS: 16 (real mode), 32 (protected mode) or 64 (long mode,
 * without paging), privilege level 0, flat segments with selector 0, all registers 0. vCPUs begin as
 * with 32, or with 64 where they have long mode. NW_ERR_ARG: neither, long mode does not exist, or
 * the engine has another kind of exceptions. NW_ERR_BUSY: running. */
NW_API nw_status nw_x86_bare(nw_vcpu *, unsigned bits);

/* Loads segment register SEG (0..5: es, cs, ss, ds, fs, gs) as MOV does: in protected and long mode
 * from the descriptor tables in memory. CS takes any segment, and null changes its selector alone.
 * NW_ERR_FAULT: that would be an exception; nothing has changed. NW_ERR_BUSY: running. */
NW_API nw_status nw_x86_segment_load(nw_vcpu *, unsigned seg, uint16_t selector);

/* Model-specific registers, as RDMSR and WRMSR see them. NW_ERR_FAULT: those would be #GP.
 * NW_ERR_BUSY: running. */
NW_API nw_status nw_x86_msr_read(nw_vcpu *, uint32_t index, uint64_t *value);
NW_API nw_status nw_x86_msr_write(nw_vcpu *, uint32_t index, uint64_t value);

#ifdef __cplusplus
}
#endif
#endif
