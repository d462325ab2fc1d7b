/* What the x86-64 and the i386 ABI share. */
#ifndef OS_LINUX_X86_X86_H
#define OS_LINUX_X86_X86_H

#include "guest/x86/state.h"
#include "os/linux/abi.h"

/* Selectors as a 64-bit kernel hands them out (asm/segment.h). */
enum {
    X86_USER32_CS = 0x23,
    X86_USER_DS = 0x2b,
    X86_USER_CS = 0x33,
};
#define X86_TLS_FIRST 12 /* entries of the GDT that set_thread_area fills */
#define X86_TLS_COUNT 3

/* struct user_desc (asm/ldt.h). */
struct x86_user_desc {
    uint32_t entry, base, limit, flags;
};

/* ---- segments.c: descriptor tables in guest memory, beyond the end of user space ---- */
/* Maps the tables of the process. 0 or -errno. */
int64_t linux_x86_map_tables(struct linux_process *);
/* An access to tables that are not mapped yet: maps them. False when EXIT is something else. */
bool linux_x86_tables_fault(struct linux_task *, const nw_exit *exit);
/* Gives the task its GDT, with TLS entries of FROM (null: none). */
void linux_x86_use_tables(struct linux_task *, const struct linux_task *from);
/* Loads SEG as an instruction would; a selector that may not be loaded gives a null segment. */
void linux_x86_load_segment(struct linux_task *, enum x86_seg seg, uint16_t selector);
/* The segments of code to return to: what is not fit for a program becomes the usual ones. */
void linux_x86_return_segments(struct linux_task *, uint16_t code, uint16_t stack);
/* Enters the struct user_desc at GVA into the task's TLS; ALLOCATE: entry -1 means a free one.
 * 0 or -errno. */
int64_t linux_x86_set_tls(struct linux_task *, uint64_t gva, bool allocate);

/* ---- registers.c ---- */
/* Registers as a program finds them: CODE and DATA are selectors of its segments. */
void linux_x86_start(struct linux_task *, uint64_t entry, uint64_t sp, uint16_t code,
                     uint16_t data);
/* What a signal handler finds: segments, direction flag, and the addresses. */
void linux_x86_enter(struct linux_task *, uint64_t pc, uint64_t sp, uint16_t code, uint16_t data);
uint64_t linux_x86_get_pc(struct linux_task *);
uint64_t linux_x86_get_sp(struct linux_task *);
void linux_x86_set_sp(struct linux_task *, uint64_t sp);
void linux_x86_set_result(struct linux_task *, int64_t result);
void linux_x86_copy_state(struct linux_task *child, const struct linux_task *parent);
/* The flags that a program may set; the others stay. */
void linux_x86_set_flags(struct linux_task *, uint32_t flags);

/* ---- fault.c ---- */
void linux_x86_fault_info(struct linux_task *, const nw_exit *, siginfo_t *);

/* ---- fpstate.c: the memory form of FXSAVE and XSAVE with what the kernel adds for signal frames
 * (asm/sigcontext.h) ---- */
#define X86_LEGACY_FP 112u /* the FSAVE form that i386 frames have in front */
bool linux_x86_has_xsave(struct linux_task *);
/* Bytes of the whole, magic number behind it included, without the legacy form. */
unsigned linux_x86_fp_size(struct linux_task *);
/* Where it goes below SP, with room for the legacy form in front of it if LEGACY; *FX: the FXSAVE
 * part. */
uint64_t linux_x86_fp_place(struct linux_task *, uint64_t sp, bool legacy, uint64_t *fx);
int64_t linux_x86_fp_save(struct linux_task *, uint64_t gva, bool legacy);
/* GVA 0: the state at a program's start. */
int64_t linux_x86_fp_restore(struct linux_task *, uint64_t gva, bool legacy);

/* ---- cpu.c ---- */
struct linux_auxv_cpu linux_x86_auxv(struct linux_task *, const char *platform, unsigned frame);
void linux_x86_cpuinfo(struct linux_task *, FILE *);

/* Open flags are numbered as on the host. */
int linux_x86_open_flags_in(uint64_t guest);
uint64_t linux_x86_open_flags_out(int host);

#endif
