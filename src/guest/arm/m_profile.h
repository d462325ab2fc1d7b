/* The registers of M profile. Only for CPUs with ARM_F_M where nothing else is said. */
#ifndef GUEST_ARM_M_PROFILE_H
#define GUEST_ARM_M_PROFILE_H

#include "guest/arm/state.h"

/* Numbers of special registers in MRS and MSR: ARM DDI 0403 B5.1.1, ARM DDI 0553 D1.1. */
enum arm_sysm {
    ARM_SYSM_PSR_LAST = 7, /* 0 to 7: combinations of APSR, IPSR and EPSR */
    ARM_SYSM_MSP = 8,
    ARM_SYSM_PSP = 9,
    ARM_SYSM_MSPLIM = 10,
    ARM_SYSM_PSPLIM = 11,
    ARM_SYSM_PRIMASK = 16,
    ARM_SYSM_BASEPRI = 17,
    ARM_SYSM_BASEPRI_MAX = 18,
    ARM_SYSM_FAULTMASK = 19,
    ARM_SYSM_CONTROL = 20,
    ARM_SYSM_SP = 24, /* only as that of Non-secure state */
    ARM_SYSM_NS = 0x80,
};

#define ARM_M_NPRIV (1u << 0)
#define ARM_M_SPSEL (1u << 1)
#define ARM_M_FPCA  (1u << 2)
#define ARM_M_SFPA  (1u << 3)

/* Also for other profiles: not in User mode. */
static inline bool arm_privileged(const struct arm_state *s)
{
    if (s->features & ARM_F_M)
        return s->m_ipsr || !(s->m[s->m_nonsecure].control & ARM_M_NPRIV);
    return (s->control & 0x1f) != ARM_USR;
}

/* Sets up what the CPU has out of reset, PRIVILEGED or not. */
void arm_m_reset(struct arm_state *, bool privileged);
/* The state may be anybody's: makes it one that can be. */
void arm_m_loaded(struct arm_state *);
/* The bits of the mode word that M profile adds. */
uint32_t arm_m_key(const struct arm_state *);
/* Is execution forbidden at ADDR, as the default memory map says (ARM DDI 0403 B3.1)? FEATURES:
 * any. */
bool arm_m_never_executes(uint32_t features, uint32_t addr);

uint32_t arm_xpsr_read(const struct arm_state *);
void arm_xpsr_write(struct arm_state *, uint32_t value);

/* What MRS reads and MSR writes as the CPU is now: nothing where it may not. */
uint32_t arm_m_special_read(const struct arm_state *, unsigned sysm);
void arm_m_special_write(struct arm_state *, unsigned sysm, uint32_t value);

/* Registers by number of narwhal/arm.h, privileged or not; false: REG is none of these, or the CPU
 * is of another profile. */
bool arm_m_reg_read(const struct arm_state *, unsigned reg, uint64_t *value);
bool arm_m_reg_write(struct arm_state *, unsigned reg, uint32_t value);

/* Changes to Non-secure state, going to TARGET. */
void arm_m_leave_secure(struct arm_state *, uint32_t target);

#endif
