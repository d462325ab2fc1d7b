/* Registers by Unicorn's numbers, on the native vCPU; one file for each guest.
 *
 * *SIZE: bytes that VALUE has room for (SIZE_MAX: enough), then bytes used. UC_ERR_OVERFLOW: the
 * register is larger. Numbers that name nothing here are UC_ERR_OK and leave VALUE and *SIZE alone, as
 * they do in Unicorn. The vCPU is stopped or in a callback of its own. */
#ifndef API_UNICORN_REG_H
#define API_UNICORN_REG_H

#include <narwhal/narwhal.h>
#include <unicorn/unicorn.h>

uc_err uc_x86_reg_read(nw_vcpu *, uc_mode, int id, void *value, size_t *size);
uc_err uc_x86_reg_write(nw_vcpu *, uc_mode, int id, const void *value, size_t *size);
uc_err uc_arm_reg_read(nw_vcpu *, uc_mode, int id, void *value, size_t *size);
uc_err uc_arm_reg_write(nw_vcpu *, uc_mode, int id, const void *value, size_t *size);
/* Is VCPU of M profile, and ID a register there that others do not have, or otherwise? Of 32 bits. */
bool uc_arm_m_has(nw_vcpu *, int id);
uint32_t uc_arm_m_read(nw_vcpu *, int id);
void uc_arm_m_write(nw_vcpu *, int id, uint32_t value);

/* The native name of Unicorn's CPU model MODEL, or null. */
const char *uc_x86_cpu_name(int model);
const char *uc_arm_cpu_name(int model);

#endif
