#include "accel/ops.h"
#include "exec/vcpu_priv.h"

static void kick(nw_vcpu *vcpu, uint32_t request)
{
    atomic_fetch_or(&vcpu->request, request);
}

const struct accel_ops accel_dbt = {
    .name = "dbt",
    .vcpu_create = vcpu_create,
    .vcpu_destroy = vcpu_destroy,
    .run = vcpu_run,
    .kick = kick,
};
