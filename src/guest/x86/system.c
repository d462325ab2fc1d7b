/* Reset, exceptions and interrupts. */
#include "guest/x86/front.h"
#include "guest/x86/segment.h"

void x86_reset(struct nw_vcpu *vcpu)
{
    (void)vcpu;
}

bool x86_deliver(struct nw_vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

bool x86_interrupt(struct nw_vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

bool x86_wakes(const struct nw_vcpu *vcpu)
{
    return vcpu->irq_lines != 0;
}
