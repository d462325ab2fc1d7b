/* ARM: modes, where runs begin, and what its exits are to Unicorn's clients. */
#include <narwhal/arm.h>
#include "reg.h"
#include "uc.h"

/* The numbers that INTR hooks are called with. */
enum { INTR_SVC = 2, INTR_DATA_ABORT = 4, INTR_BKPT = 7 };

#define CPSR_MODE  0x1fu
#define CPSR_USER  0x10u
#define CPSR_T     (1u << 5)
#define CPSR_E     (1u << 9)
#define CPSR_RESET 0x400001d3u /* supervisor mode, A, I, F */

static nw_arch native(uc_mode mode)
{
    (void)mode;
    return NW_ARCH_ARM;
}

static int model(uc_mode mode, int wanted)
{
    if (mode & UC_MODE_MCLASS)
        return UC_CPU_ARM_CORTEX_M33;
    /* Big-endian code went away with v7. */
    if (mode & UC_MODE_BIG_ENDIAN && wanted >= UC_CPU_ARM_CORTEX_A7 &&
        wanted <= UC_CPU_ARM_CORTEX_A15)
        return -1;
    if (wanted >= 0)
        return wanted;
    if (mode & UC_MODE_ARM926)
        return UC_CPU_ARM_926;
    if (mode & UC_MODE_ARM946)
        return UC_CPU_ARM_946;
    return mode & (UC_MODE_ARM1176 | UC_MODE_BIG_ENDIAN) ? UC_CPU_ARM_1176 : UC_CPU_ARM_CORTEX_A15;
}

static nw_status setup(uc_engine *uc)
{
    bool big = uc->mode & (UC_MODE_BIG_ENDIAN | UC_MODE_ARMBE8);

    TRY(nw_reg_write(uc->vcpu, NW_ARM_BIG_ENDIAN_CODE, (uc->mode & UC_MODE_BIG_ENDIAN) != 0));
    TRY(nw_reg_write(uc->vcpu, NW_ARM_WORD_INVARIANT, (uc->mode & UC_MODE_ARMBE8) != 0));
    return nw_reg_write(uc->vcpu, NW_ARM_CPSR, CPSR_RESET | (big ? CPSR_E : 0));
}

/* Bit 0 says Thumb; M-profile CPUs have nothing else, and find out when they execute. */
static void set_pc(uc_engine *uc, uint64_t address)
{
    nw_reg_write(uc->vcpu, NW_ARM_BX, address);
}

static uint64_t pc(uc_engine *uc)
{
    uint64_t v = 0;

    nw_reg_read(uc->vcpu, NW_ARM_BX, &v);
    return v;
}

static uint64_t address(uint64_t a)
{
    return (uint32_t)a & ~1u;
}

/* An odd one is never met. */
static uint64_t until(uint64_t a)
{
    return (uint32_t)a;
}

static uint32_t cpsr_of(uc_engine *uc)
{
    uint64_t v = 0;

    if (uc->vcpu)
        nw_reg_read(uc->vcpu, NW_ARM_CPSR, &v);
    return (uint32_t)v;
}

static uc_mode mode_now(uc_engine *uc)
{
    return (uc_mode)((uc->mode & ~UC_MODE_THUMB) | (cpsr_of(uc) & CPSR_T ? UC_MODE_THUMB : 0));
}

/* ---- exceptions ---- */

/* Classes of exceptions in ESR (Arm ARM of ARMv8, G8.2.51); aborts are one more from privileged
 * modes. */
enum {
    CLASS_SVC = 0x11,
    CLASS_SMC = 0x13,
    CLASS_PREFETCH_ABORT = 0x20,
    CLASS_DATA_ABORT = 0x24,
    CLASS_BKPT = 0x38
};
#define SYNDROME_CLASS(n) ((uint32_t)(n) << 26)
#define SYNDROME_IL       (1u << 25) /* no instruction of 16 bits */
#define SYNDROME_WRITE    (1u << 6)
#define STATUS_NONE       0x3fu /* the status is not one of long descriptors */
#define FSR_LONG          (1u << 9)
#define FSR_WRITE         (1u << 11)

/* OPC2: 0 of DFSR, 1 of IFSR, which say the rest. */
static uint32_t abort_syndrome(uc_engine *uc, unsigned class, unsigned opc2)
{
    nw_arm_cp fsr = {.cp = 15, .crn = 5, .opc2 = opc2};
    bool privileged = (cpsr_of(uc) & CPSR_MODE) != CPSR_USER;
    uint64_t v = 0;

    nw_arm_cp_read(uc->vcpu, &fsr, &v);
    return SYNDROME_CLASS(class + privileged) | SYNDROME_IL |
           (v & FSR_LONG ? (uint32_t)v & 0x3f : STATUS_NONE) |
           (!opc2 && v & FSR_WRITE ? SYNDROME_WRITE : 0);
}

static uint32_t syndrome(uc_engine *uc, const nw_exit *x)
{
    uint32_t il = cpsr_of(uc) & CPSR_T ? 0 : SYNDROME_IL;

    switch (x->reason) {
    case NW_EXIT_SYSCALL: return SYNDROME_CLASS(CLASS_SVC) | il | (x->code & 0xffff);
    case NW_EXIT_BREAKPOINT: return SYNDROME_CLASS(CLASS_BKPT) | SYNDROME_IL | (x->code & 0xffff);
    case NW_EXIT_FAULT: return abort_syndrome(uc, CLASS_DATA_ABORT, 0);
    case NW_EXIT_EXCEPTION: break;
    default: return SYNDROME_IL;
    }
    switch (x->code) {
    case NW_ARM_EXC_SMC: return SYNDROME_CLASS(CLASS_SMC) | SYNDROME_IL;
    case NW_ARM_EXC_PREFETCH_ABORT: return abort_syndrome(uc, CLASS_PREFETCH_ABORT, 1);
    case NW_ARM_EXC_DATA_ABORT: return abort_syndrome(uc, CLASS_DATA_ABORT, 0);
    default: return SYNDROME_IL;
    }
}

static bool serve(uc_engine *uc, const nw_exit *x)
{
    if (x->reason != NW_EXIT_HALT)
        nw_reg_write(uc->vcpu, NW_ARM_SYNDROME, syndrome(uc, x));
    switch (x->reason) {
    case NW_EXIT_HALT: return false;
    case NW_EXIT_UNDEFINED:
        if (uc_call_invalid(uc))
            return true;
        uc->error = UC_ERR_INSN_INVALID;
        return false;
    case NW_EXIT_SYSCALL:
        if (uc_call_intr(uc, INTR_SVC))
            return true;
        break;
    case NW_EXIT_BREAKPOINT:
        if (uc_call_intr(uc, INTR_BKPT))
            return true;
        break;
    case NW_EXIT_FAULT: /* of alignment */
        if (uc_call_intr(uc, INTR_DATA_ABORT))
            return true;
        break;
    case NW_EXIT_EXCEPTION:
        if (uc_call_intr(uc, x->code))
            return true;
        break;
    default: break;
    }
    uc->error = UC_ERR_EXCEPTION;
    return false;
}

const struct uc_guest uc_guest_arm = {
    .arch = UC_ARCH_ARM,
    .modes = UC_MODE_THUMB | UC_MODE_MCLASS | UC_MODE_ARM926 | UC_MODE_ARM946 | UC_MODE_ARM1176 |
             (uint32_t)UC_MODE_BIG_ENDIAN | UC_MODE_ARMBE8,
    .model = model,
    .models = UC_CPU_ARM_ENDING,
    .page_size = 1024,
    .native = native,
    .cpu_name = uc_arm_cpu_name,
    .setup = setup,
    .reg_read = uc_arm_reg_read,
    .reg_write = uc_arm_reg_write,
    .set_pc = set_pc,
    .pc = pc,
    .address = address,
    .until = until,
    .serve = serve,
    .mode_now = mode_now,
};
