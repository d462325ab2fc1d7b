/* Signal frames as the kernel builds them (arch/arm/kernel/signal.c, asm/ucontext.h). */
#include "os/linux/arm/arm.h"

#include <errno.h>
#include <narwhal/arm.h>
#include <string.h>
#include "guest/arm/state.h"
#include "os/linux/guest_mem.h"
#include "os/linux/siginfo.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

#define VFP_MAGIC       0x56465001u
#define OLD_FRAME_FLAGS 0x5ac3c35au /* uc_flags of a frame without siginfo */

struct arm_vfp_frame {
    uint32_t magic, size;
    uint64_t d[32];
    uint32_t fpscr, pad;
    uint32_t fpexc, fpinst, fpinst2, pad2;
};

struct arm_ucontext {
    uint32_t flags, link;
    uint32_t stack_sp, stack_flags, stack_size;
    uint32_t trap_no, error_code, oldmask;
    uint32_t r[16], cpsr, fault_address;
    uint32_t mask[2];
    uint32_t unused[30];
    _Alignas(8) struct arm_vfp_frame vfp;
    uint32_t end_magic;
    uint32_t regspace_rest[128 - (sizeof(struct arm_vfp_frame) / 4) - 1];
};

struct arm_frame {
    struct arm_ucontext uc;
    uint32_t retcode[4];
};

struct arm_rt_frame {
    uint8_t info[LINUX_SIGINFO_SIZE];
    struct arm_frame frame;
};

_Static_assert(sizeof(struct arm_vfp_frame) == 288, "VFP_STORAGE_SIZE");
_Static_assert(offsetof(struct arm_ucontext, trap_no) == 20, "uc_mcontext");
_Static_assert(offsetof(struct arm_ucontext, mask) == 104, "uc_sigmask");
_Static_assert(offsetof(struct arm_ucontext, vfp) == 232, "uc_regspace");
_Static_assert(sizeof(struct arm_ucontext) == 744, "struct ucontext");

static void save_vfp(struct linux_task *t, struct arm_ucontext *uc)
{
    struct arm_state *s = arm_of(t->vcpu);
    uint64_t fpscr = 0;
    if (!(s->features & ARM_F_VFP2))
        return;
    nw_reg_read(t->vcpu, NW_ARM_FPSCR, &fpscr);
    uc->vfp.magic = VFP_MAGIC;
    uc->vfp.size = sizeof uc->vfp;
    memcpy(uc->vfp.d, s->d, sizeof s->d);
    uc->vfp.fpscr = (uint32_t)fpscr;
    uc->vfp.fpexc = s->fpexc;
}

static void save_context(struct linux_task *t, struct arm_ucontext *uc, linux_sigset mask)
{
    struct arm_state *s = arm_of(t->vcpu);
    uint64_t cpsr = 0;
    memset(uc, 0, sizeof *uc);
    nw_reg_read(t->vcpu, NW_ARM_CPSR, &cpsr);
    memcpy(uc->r, s->r, sizeof uc->r);
    uc->cpsr = (uint32_t)cpsr;
    uc->oldmask = uc->mask[0] = (uint32_t)mask;
    uc->mask[1] = (uint32_t)(mask >> 32);
    uc->fault_address = (uint32_t)t->fault_address;
    uc->stack_sp = (uint32_t)t->alt_stack;
    uc->stack_size = (uint32_t)t->alt_size;
    uc->stack_flags = linux_alt_stack_flags(t);
    save_vfp(t, uc);
}

static void enter_handler(struct linux_task *t, int sig, const struct linux_sigaction *act,
                          uint64_t frame, bool rt)
{
    struct arm_state *s = arm_of(t->vcpu);
    s->r[0] = (uint32_t)sig;
    s->r[13] = (uint32_t)frame;
    if (act->flags & LINUX_SA_RESTORER)
        s->r[14] = (uint32_t)act->restorer;
    else
        s->r[14] = (uint32_t)(rt ? ARM_RT_SIGRETURN : ARM_SIGRETURN);
    s->thumb = act->handler & 1;
    s->itstate = 0;
    s->big_endian = 0;
    s->r[15] = (uint32_t)act->handler & (s->thumb ? ~1u : ~3u);
    s->excl_size = 0;
}

int64_t arm_push_frame(struct linux_task *t, int sig, const struct linux_sigaction *act,
                       const siginfo_t *info, linux_sigset mask)
{
    bool rt = act->flags & SA_SIGINFO;
    size_t size = rt ? sizeof(struct arm_rt_frame) : sizeof(struct arm_frame);
    uint64_t sp = linux_signal_stack(t, act);
    struct arm_frame frame = {0};

    if (sp < size + 8)
        return -EFAULT;
    uint64_t at = (sp - size) & ~7ull, uc = at + (rt ? LINUX_SIGINFO_SIZE : 0);
    save_context(t, &frame.uc, mask);
    if (!rt)
        frame.uc.flags = OLD_FRAME_FLAGS;
    frame.retcode[0] = rt ? 0xe3a070ad : 0xe3a07077; /* mov r7, #NR, as debuggers look for */
    frame.retcode[1] = 0xef000000;                   /* svc 0 */
    if (linux_copy_out(t, uc, &frame, sizeof frame))
        return -EFAULT;
    if (rt) {
        if (t->process->abi->put_siginfo(t, at, info))
            return -EFAULT;
        arm_of(t->vcpu)->r[1] = (uint32_t)at;
        arm_of(t->vcpu)->r[2] = (uint32_t)uc;
    }
    enter_handler(t, sig, act, at, rt);
    return 0;
}

/* Only user mode, A32 or Thumb, and what user mode may set. */
#define CPSR_USER 0xf80f0200u
#define CPSR_T    0x20u
#define CPSR_IT   0x0600fc00u

static void restore_vfp(struct linux_task *t, const struct arm_ucontext *uc)
{
    struct arm_state *s = arm_of(t->vcpu);
    if (!(s->features & ARM_F_VFP2) || uc->vfp.magic != VFP_MAGIC || uc->vfp.size != sizeof uc->vfp)
        return;
    memcpy(s->d, uc->vfp.d, (s->features & ARM_F_D32 ? 32 : 16) * sizeof s->d[0]);
    nw_reg_write(t->vcpu, NW_ARM_FPSCR, uc->vfp.fpscr);
}

int64_t arm_sigreturn(struct linux_task *t, bool rt)
{
    struct arm_state *s = arm_of(t->vcpu);
    struct arm_ucontext uc;
    uint64_t at = s->r[13];

    if (at & 7 || linux_copy_in(t, &uc, at + (rt ? LINUX_SIGINFO_SIZE : 0), sizeof uc))
        return -EFAULT;
    nw_reg_write(t->vcpu, NW_ARM_CPSR, (uc.cpsr & (CPSR_USER | CPSR_T | CPSR_IT)) | ARM_USR);
    memcpy(s->r, uc.r, sizeof s->r);
    s->r[15] &= s->thumb ? ~1u : ~3u;
    s->excl_size = 0;
    restore_vfp(t, &uc);
    linux_set_blocked(t, uc.mask[0] | (uint64_t)uc.mask[1] << 32);
    if (rt)
        linux_restore_alt_stack(t, uc.stack_sp, uc.stack_size, uc.stack_flags);
    return 0;
}
