/* Registers of ARM M profile by Unicorn's numbers. */
#include <narwhal/arm.h>
#include "reg.h"

#define NZCV  0xf0000000u
#define NZCVQ 0xf8000000u
#define GE    0x000f0000u
#define EXEC  0x0700fc00u
#define EXC   0x000001ffu
#define ALL   0xffffffffu

struct row {
    uint8_t reg;          /* the native one; 0: the number is no different from other profiles */
    uint32_t read, write; /* bits */
};

static const struct row rows[UC_ARM_REG_ENDING] = {
#define ROW(name, reg, read, write) [UC_ARM_REG_##name] = {NW_ARM_##reg, read, write},
#define PSR(name, read, write)      ROW(name, XPSR, read, write)
    // clang-format off
    PSR(XPSR, ALL, NZCVQ | EXEC | EXC) PSR(XPSR_NZCVQ, ALL & ~GE, NZCVQ | EXEC | EXC)
    PSR(XPSR_G, GE | EXEC | EXC, GE | EXEC | EXC) PSR(XPSR_NZCVQG, ALL, ALL)
    PSR(APSR, NZCVQ | GE, NZCVQ) PSR(APSR_NZCV, NZCV, NZCV) PSR(APSR_NZCVQ, NZCVQ, NZCVQ)
    PSR(APSR_G, GE, GE) PSR(APSR_NZCVQG, NZCVQ | GE, NZCVQ | GE)
    PSR(IPSR, EXC, EXC) PSR(EPSR, EXEC, EXEC) PSR(IEPSR, EXEC | EXC, EXEC | EXC)
    PSR(IAPSR, NZCVQ | GE | EXC, NZCVQ | EXC) PSR(IAPSR_NZCVQ, NZCVQ | EXC, NZCVQ | EXC)
    PSR(IAPSR_G, GE | EXC, GE | EXC) PSR(IAPSR_NZCVQG, NZCVQ | GE | EXC, NZCVQ | GE | EXC)
    PSR(EAPSR, NZCVQ | GE | EXEC, NZCVQ | EXEC) PSR(EAPSR_NZCVQ, NZCVQ | EXEC, NZCVQ | EXEC)
    PSR(EAPSR_G, GE | EXEC, GE | EXEC) PSR(EAPSR_NZCVQG, NZCVQ | GE | EXEC, NZCVQ | GE | EXEC)
    ROW(MSP, MSP, ALL, ALL) ROW(PSP, PSP, ALL, ALL) ROW(CONTROL, CONTROL, ALL, ALL)
    ROW(PRIMASK, PRIMASK, ALL, ALL) ROW(FAULTMASK, FAULTMASK, ALL, ALL)
    ROW(BASEPRI, BASEPRI, ALL, ALL) ROW(BASEPRI_MAX, BASEPRI, ALL, ALL)
// clang-format on
#undef PSR
#undef ROW
};

bool uc_arm_m_has(nw_vcpu *vcpu, int id)
{
    uint64_t unused;

    return id > 0 && id < UC_ARM_REG_ENDING && rows[id].reg &&
           nw_reg_read(vcpu, NW_ARM_XPSR, &unused) == NW_OK;
}

uint32_t uc_arm_m_read(nw_vcpu *vcpu, int id)
{
    uint64_t v = 0;

    nw_reg_read(vcpu, rows[id].reg, &v);
    return (uint32_t)v & rows[id].read;
}

void uc_arm_m_write(nw_vcpu *vcpu, int id, uint32_t value)
{
    const struct row *r = &rows[id];
    uint64_t old = 0;

    nw_reg_read(vcpu, r->reg, &old);
    /* It only ever raises the priority. */
    if (id == UC_ARM_REG_BASEPRI_MAX && (!(value & 0xff) || (old && (value & 0xff) >= old)))
        return;
    nw_reg_write(vcpu, r->reg, ((uint32_t)old & ~r->write) | (value & r->write));
}
