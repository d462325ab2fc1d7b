/* Private to `narwhal exec`: registers by name. */
#ifndef CLI_REGISTERS_H
#define CLI_REGISTERS_H

#include <narwhal/narwhal.h>
#include <stdio.h>

/* Registers of ARCH as code of BITS sees them. */
struct registers {
    nw_vcpu *vcpu;
    nw_arch arch;
    unsigned bits;
};

/* Does "NAME=VALUE". Null, or what is wrong with it as the end of a sentence. */
const char *registers_set(const struct registers *, const char *assignment);
/* The general registers and flags, and with ALL those of vectors, floating point and system. */
void registers_print(const struct registers *, bool all, FILE *);

#endif
