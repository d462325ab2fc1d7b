/* x86 registers by Unicorn's numbers. */
#include <string.h>
#include <narwhal/x86.h>
#include "reg.h"

static int general(int id, unsigned *size)
{
    static const struct {
        int id;
        uint8_t reg, size;
    } rows[] = {
        {UC_X86_REG_RAX, 0, 8},     {UC_X86_REG_RCX, 1, 8},     {UC_X86_REG_RDX, 2, 8},
        {UC_X86_REG_RBX, 3, 8},     {UC_X86_REG_RSP, 4, 8},     {UC_X86_REG_RBP, 5, 8},
        {UC_X86_REG_RSI, 6, 8},     {UC_X86_REG_RDI, 7, 8},     {UC_X86_REG_EAX, 0, 4},
        {UC_X86_REG_ECX, 1, 4},     {UC_X86_REG_EDX, 2, 4},     {UC_X86_REG_EBX, 3, 4},
        {UC_X86_REG_ESP, 4, 4},     {UC_X86_REG_EBP, 5, 4},     {UC_X86_REG_ESI, 6, 4},
        {UC_X86_REG_EDI, 7, 4},     {UC_X86_REG_RIP, 16, 8},    {UC_X86_REG_EIP, 16, 4},
        {UC_X86_REG_EFLAGS, 17, 4}, {UC_X86_REG_RFLAGS, 17, 8},
    };

    if (id >= UC_X86_REG_R8 && id <= UC_X86_REG_R15) {
        *size = 8;
        return id - UC_X86_REG_R8 + 8;
    }
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
        if (rows[n].id == id) {
            *size = rows[n].size;
            return rows[n].reg;
        }
    return -1;
}

uc_err uc_x86_reg_read(nw_vcpu *vcpu, uc_mode mode, int id, void *value, size_t *size)
{
    unsigned used = 0;
    uint64_t v = 0;
    int reg = general(id, &used);

    (void)mode;
    if (reg >= 0 && *size < used)
        return UC_ERR_OVERFLOW;
    *size = used;
    if (reg >= 0)
        nw_reg_read(vcpu, (unsigned)reg, &v);
    memcpy(value, &v, used);
    return UC_ERR_OK;
}

uc_err uc_x86_reg_write(nw_vcpu *vcpu, uc_mode mode, int id, const void *value, size_t *size)
{
    unsigned used = 0;
    uint64_t v = 0;
    int reg = general(id, &used);

    (void)mode;
    if (reg >= 0 && *size < used)
        return UC_ERR_OVERFLOW;
    *size = used;
    memcpy(&v, value, used);
    if (reg >= 0)
        nw_reg_write(vcpu, (unsigned)reg, v);
    return UC_ERR_OK;
}
