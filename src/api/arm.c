/* The public calls of the ARM guest. */
#include <narwhal/arm.h>

#include "exec/engine.h"
#include "guest/arm/cp15.h"

/* The register that CP names, if ACCESS allows it. */
static nw_status find(nw_vcpu *vcpu, const nw_arm_cp *cp, unsigned access,
                      const struct arm_cp15_reg **reg)
{
    if (!vcpu || !cp || vcpu->guest != &arm_guest || (cp->cp != 15 && cp->cp != 14) || cp->crn > 15)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    uint32_t crn = cp->cp == 14 ? (cp->wide ? ARM_CP14_WIDE : cp->crn + ARM_CP14)
                   : cp->wide   ? ARM_CP15_WIDE
                                : cp->crn;

    *reg = arm_cp15_find(arm_of(vcpu)->features, crn, cp->opc1, cp->crm, cp->wide ? 0 : cp->opc2);
    return *reg && (*reg)->access & access ? NW_OK : NW_ERR_ARG;
}

nw_status nw_arm_cp_read(nw_vcpu *vcpu, const nw_arm_cp *cp, uint64_t *value)
{
    const struct arm_cp15_reg *reg;

    if (!value)
        return NW_ERR_ARG;
    TRY(find(vcpu, cp, ARM_CP15_PR | ARM_CP15_UR | ARM_CP15_DR, &reg));
    *value = arm_cp15_read(vcpu, reg, cp->other_state);
    return NW_OK;
}

nw_status nw_arm_cp_write(nw_vcpu *vcpu, const nw_arm_cp *cp, uint64_t value)
{
    const struct arm_cp15_reg *reg;

    TRY(find(vcpu, cp, ARM_CP15_PW | ARM_CP15_UW, &reg));
    hooks_note_write(vcpu);
    arm_cp15_write(vcpu, reg, value, cp->other_state, true);
    return NW_OK;
}
