/* open flags of ARM. */
#include <fcntl.h>
#include "os/linux/arm/arm.h"
#include "base/status.h"

/* asm/fcntl.h of ARM against the host's: the flags that have different values. */
static const struct {
    uint32_t guest;
    int host;
} open_flags[] = {
    {0x04000, O_DIRECTORY},
    {0x08000, O_NOFOLLOW},
    {0x10000, O_DIRECT},
    {0x20000, 0}, /* O_LARGEFILE: every host file is */
};
#define ARM_OPEN_OWN    0x3c000u
#define ARM_O_LARGEFILE 0x20000u

int arm_open_flags_in(uint64_t guest)
{
    int host = (int)(guest & ~(uint64_t)ARM_OPEN_OWN);
    for (size_t i = 0; i < ARRAY_LEN(open_flags); i++)
        if (guest & open_flags[i].guest)
            host |= open_flags[i].host;
    return host;
}

uint64_t arm_open_flags_out(int host)
{
    int own = O_DIRECTORY | O_NOFOLLOW | O_DIRECT | 0100000 /* the host's O_LARGEFILE */;
    uint64_t guest = (uint32_t)(host & ~own) | ARM_O_LARGEFILE;
    for (size_t i = 0; i < ARRAY_LEN(open_flags); i++)
        if (host & open_flags[i].host)
            guest |= open_flags[i].guest;
    return guest;
}
