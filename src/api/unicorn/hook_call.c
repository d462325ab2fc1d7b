/* Hooks that are called when a run has come out of the core, and those of ports. */
#include "uc.h"

struct uc_hook_entry *uc_hook_next(struct uc_hook_entry *h, int types)
{
    while (h && !(h->used && h->type & types))
        h = h->next;
    return h;
}

bool uc_hook_covers(const struct uc_hook_entry *h, uint64_t address)
{
    return h->begin > h->end || (address >= h->begin && address <= h->end);
}

bool uc_call_intr(uc_engine *uc, uint32_t intno)
{
    bool any = false;

    for (struct uc_hook_entry *h = uc->core->first; (h = uc_hook_next(h, UC_HOOK_INTR));
         h = h->next) {
        ((uc_cb_hookintr_t)h->callback)(uc, intno, h->user);
        any = true;
    }
    return any;
}

bool uc_call_invalid(uc_engine *uc)
{
    for (struct uc_hook_entry *h = uc->core->first; (h = uc_hook_next(h, UC_HOOK_INSN_INVALID));
         h = h->next)
        if (((uc_cb_hookinsn_invalid_t)h->callback)(uc, h->user))
            return true;
    return false;
}

/* ---- ports ---- */

/* The next hook of instruction INSN at or behind H whose range the vCPU is in, or null. */
static struct uc_hook_entry *next_port(struct uc_hook_entry *h, uc_engine *uc, int insn)
{
    uint64_t pc = uc_guest_of(uc->arch)->pc(uc);

    while ((h = uc_hook_next(h, UC_HOOK_INSN)) && (h->insn != insn || !uc_hook_covers(h, pc)))
        h = h->next;
    return h;
}

/* The first of several IN hooks says what is read. */
static uint32_t port_read(void *opaque, uint16_t port, unsigned size)
{
    struct uc_core *core = opaque;
    uc_engine *uc = nw_vcpu_user(nw_vcpu_current());
    struct uc_hook_entry *h = next_port(core->first, uc, UC_X86_INS_IN);

    return h ? ((uc_cb_insn_in_t)h->callback)(uc, port, (int)size, h->user) : 0;
}

static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct uc_core *core = opaque;
    uc_engine *uc = nw_vcpu_user(nw_vcpu_current());

    for (struct uc_hook_entry *h = core->first; (h = next_port(h, uc, UC_X86_INS_OUT)); h = h->next)
        ((uc_cb_insn_out_t)h->callback)(uc, port, (int)size, value, h->user);
}

uc_err uc_ports_connect(uc_engine *uc)
{
    nw_status status = NW_OK;

    if (!uc->core->ports)
        status = nw_io_map(uc->core->engine, 0, 0x10000, port_read, port_write, uc->core);
    uc->core->ports = status == NW_OK;
    return uc_from_status(status);
}
