/* The public calls of the ARM guest. */
#include <narwhal/arm.h>

#include "exec/engine.h"
#include "guest/arm/cp15.h"

/* The register that CP names, and its word in the state, null: it has none. */
static nw_status find(nw_vcpu *vcpu, const nw_arm_cp *cp, bool write,
                      const struct arm_cp15_reg **reg, uint32_t **word)
{
    struct arm_state *s;

    if (!vcpu || !cp || vcpu->guest != &arm_guest || cp->cp != 15 || cp->wide)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    s = arm_of(vcpu);
    *reg = arm_cp15_find(s->features, cp->crn, cp->opc1, cp->crm, cp->opc2);
    if (!*reg ||
        !((*reg)->access & (write ? ARM_CP15_PW | ARM_CP15_UW : ARM_CP15_PR | ARM_CP15_UR)))
        return NW_ERR_ARG;
    *word = (*reg)->kind == ARM_CP15_PLAIN || (*reg)->kind == ARM_CP15_CONTROL
                ? (uint32_t *)(void *)(vcpu->state + (*reg)->offset)
                : NULL;
    return NW_OK;
}

nw_status nw_arm_cp_read(nw_vcpu *vcpu, const nw_arm_cp *cp, uint64_t *value)
{
    const struct arm_cp15_reg *reg;
    uint32_t *word;

    if (!value)
        return NW_ERR_ARG;
    TRY(find(vcpu, cp, false, &reg, &word));
    *value = word ? *word : reg->value;
    return NW_OK;
}

nw_status nw_arm_cp_write(nw_vcpu *vcpu, const nw_arm_cp *cp, uint64_t value)
{
    const struct arm_cp15_reg *reg;
    uint32_t *word;

    TRY(find(vcpu, cp, true, &reg, &word));
    hooks_note_write(vcpu);
    if (reg->kind == ARM_CP15_CONTROL)
        arm_cp15_write(arm_of(vcpu), arm_cp15_index(reg), (uint32_t)value);
    else if (word)
        *word = (uint32_t)value;
    return NW_OK;
}
