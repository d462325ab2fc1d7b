/* Registers of both x86 ABIs. */
#include <string.h>
#include "guest/x86/flags.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/segment.h"
#include "os/linux/x86/x86.h"

#define ALL (~0u)
/* What user space may set (arch/x86/kernel/signal.c, FIX_EFLAGS). */
#define USER_FLAGS (X86_FLAGS_ARITH | X86_TF | X86_DF | X86_AC | X86_RF | X86_NT | X86_ID)

static bool wide(const struct linux_task *t)
{
    return t->process->abi->word == 8;
}

void linux_x86_start(struct linux_task *t, uint64_t entry, uint64_t sp, uint16_t code,
                     uint16_t data)
{
    struct x86_state *s = x86_of(t->vcpu);
    memset(s->gpr, 0, sizeof s->gpr);
    linux_x86_use_tables(t, NULL);
    linux_x86_load_segment(t, X86_FS, 0);
    linux_x86_load_segment(t, X86_GS, 0);
    x86_eflags_write(s, X86_IF, ALL);
    (void)linux_x86_fp_restore(t, 0, false);
    linux_x86_enter(t, entry, sp, code, data);
}

void linux_x86_enter(struct linux_task *t, uint64_t pc, uint64_t sp, uint16_t code, uint16_t data)
{
    struct x86_state *s = x86_of(t->vcpu);
    linux_x86_load_segment(t, X86_CS, code);
    linux_x86_load_segment(t, X86_SS, X86_USER_DS);
    linux_x86_load_segment(t, X86_DS, data);
    linux_x86_load_segment(t, X86_ES, data);
    x86_eflags_write(s, 0, X86_DF | X86_RF | X86_TF);
    s->gpr[X86_RSP] = sp;
    s->pc = pc;
    x86_mode_update(s);
}

uint64_t linux_x86_get_pc(struct linux_task *t)
{
    return x86_of(t->vcpu)->pc;
}

uint64_t linux_x86_get_sp(struct linux_task *t)
{
    uint64_t sp = x86_of(t->vcpu)->gpr[X86_RSP];
    return wide(t) ? sp : (uint32_t)sp;
}

void linux_x86_set_sp(struct linux_task *t, uint64_t sp)
{
    x86_of(t->vcpu)->gpr[X86_RSP] = wide(t) ? sp : (uint32_t)sp;
}

void linux_x86_set_result(struct linux_task *t, int64_t result)
{
    x86_of(t->vcpu)->gpr[X86_RAX] = wide(t) ? (uint64_t)result : (uint32_t)result;
}

void linux_x86_copy_state(struct linux_task *child, const struct linux_task *parent)
{
    memcpy(child->vcpu->state, parent->vcpu->state, sizeof(struct x86_state));
    x86_mxcsr_write(child->vcpu, x86_mxcsr_read(parent->vcpu)); /* the engine's part of it, too */
    linux_x86_use_tables(child, parent);
}

void linux_x86_set_flags(struct linux_task *t, uint32_t flags)
{
    x86_eflags_write(x86_of(t->vcpu), flags, USER_FLAGS);
}

int linux_x86_open_flags_in(uint64_t guest)
{
    return (int)guest;
}

uint64_t linux_x86_open_flags_out(int host)
{
    return (uint32_t)host;
}
