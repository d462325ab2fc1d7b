/* Which guests are built in. */
#include "exec/engine.h"

static const struct guest_ops *guest_of(nw_arch arch)
{
    return arch == NW_ARCH_ARM ? &arm_guest : NULL;
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
