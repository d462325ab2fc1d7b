/* Private to the ARM front end: what guest.c assembles into arm_guest. */
#ifndef GUEST_ARM_FRONT_H
#define GUEST_ARM_FRONT_H

#include "guest/arm/state.h"

void arm_lift_block(struct ir_builder *, struct lift_request *);

/* models.c: fills in features and identification registers. NW_ERR_CPU when NAME is unknown. */
nw_status arm_model_init(struct arm_state *, const char *name);
/* SCTLR out of reset for the model that was set up. */
uint32_t arm_sctlr_reset(const struct arm_state *);
/* ids.c: system registers of the model out of reset. */
void arm_system_reset(struct arm_state *);

/* sys.c */
enum arm_bank arm_bank_of(uint32_t mode); /* of a PSR's mode field; USR for invalid ones */
bool arm_mode_valid(uint32_t mode);
/* Where the User-mode R8..R14 (N) live while the current mode is in force. */
uint32_t *arm_user_reg(struct arm_state *, unsigned n);
/* Where the SP of MODE lives. */
uint32_t *arm_mode_sp(struct arm_state *, uint32_t mode);
void arm_reset(struct nw_vcpu *);
bool arm_exception_enter(struct nw_vcpu *);
bool arm_interrupt(struct nw_vcpu *);
bool arm_wakes(const struct nw_vcpu *);

#endif
