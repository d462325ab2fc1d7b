/* Numbers of instructions, for hooks. */
#include <narwhal/hook.h>
#include <string.h>
#include "guest/guest.h"

uint32_t nw_insn_id(nw_arch arch, const char *name)
{
    static const struct guest_ops *const guests[] = {&arm_guest, &x86_guest, &x86_64_guest};

    for (size_t n = 0; name && n < sizeof guests / sizeof guests[0]; n++)
        if (guests[n]->arch == arch)
            return guests[n]->insn_id ? guests[n]->insn_id(name) : 0;
    return 0;
}
