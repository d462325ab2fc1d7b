/* Which guests are built in. */
#include "exec/engine.h"

static const struct guest_ops *guest_of(nw_arch arch)
{
    switch (arch) {
    case NW_ARCH_ARM: return &arm_guest;
    case NW_ARCH_X86: return &x86_guest;
    case NW_ARCH_X86_64: return &x86_64_guest;
    default: return NULL;
    }
}

const char *nw_cpu_models(nw_arch arch)
{
    const struct guest_ops *guest = guest_of(arch);

    return guest ? guest->models : NULL;
}

nw_status nw_engine_open(const nw_config *config, nw_engine **out)
{
    const struct guest_ops *guest;

    if (!config || !out)
        return NW_ERR_ARG;
    *out = NULL;
    guest = guest_of(config->arch);
    return guest ? engine_open(config, guest, out) : NW_ERR_ARCH;
}
