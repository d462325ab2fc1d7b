/* The vsyscall page (arch/x86/entry/vsyscall): old programs call gettimeofday, time and getcpu at
 * fixed addresses. As in today's kernels nothing is there, and the fault of the call is served. */
#include <sys/syscall.h>
#include "os/linux/dispatch.h"
#include "os/linux/guest_mem.h"
#include "os/linux/x86_64/x86_64.h"

#define VSYSCALL_PAGE 0xffffffffff600000ull
#define ENTRY_SIZE    1024u

bool x86_64_vsyscall(struct linux_task *t, const nw_exit *exit)
{
    static const uint32_t numbers[] = {SYS_gettimeofday, SYS_time, SYS_getcpu};
    struct x86_state *s = x86_of(t->vcpu);
    uint64_t offset = exit->pc - VSYSCALL_PAGE, back;
    if (exit->access != NW_ACCESS_FETCH || offset % ENTRY_SIZE ||
        offset / ENTRY_SIZE >= ARRAY_LEN(numbers) || linux_get_word(t, s->gpr[X86_RSP], &back))
        return false;
    s->gpr[X86_RAX] = numbers[offset / ENTRY_SIZE];
    s->gpr[X86_RSP] += 8;
    s->pc = back;
    linux_dispatch(t, &(nw_exit){.reason = NW_EXIT_SYSCALL, .pc = back});
    return true;
}
