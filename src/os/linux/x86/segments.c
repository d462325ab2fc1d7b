/* Descriptor tables: what set_thread_area and modify_ldt enter into them, segment loads read. */
#include <errno.h>
#include <string.h>
#include "guest/x86/segment.h"
#include "os/linux/guest_mem.h"
#include "os/linux/layout.h"
#include "os/linux/syscall.h"
#include "os/linux/x86/x86.h"

#define GDT_ENTRIES 16u
#define GDT_SIZE    (GDT_ENTRIES * 8u)
#define LDT_ENTRIES 8192u
#define LDT_SIZE    (LDT_ENTRIES * 8u)

/* asm/segment.h: user segments of the GDT */
#define CODE32 0x00cffb000000ffffull
#define DATA   0x00cff3000000ffffull
#define CODE64 0x00affb000000ffffull

#define SELECTOR_LDT 4u /* SDM 3A 3.4.2 */

/* Type bits of a segment's attributes (SDM 3A 3.4.5.1) */
enum { TYPE_WRITABLE = 2, TYPE_CODE = 8 };

/* Bits of x86_user_desc.flags */
enum {
    DESC_32BIT = 1 << 0,
    DESC_CONTENTS = 3 << 1,
    DESC_READ_ONLY = 1 << 3,
    DESC_PAGES = 1 << 4,
    DESC_ABSENT = 1 << 5,
    DESC_USEABLE = 1 << 6,
};
#define DESC_EMPTY (DESC_READ_ONLY | DESC_ABSENT)

/* arch_prctl (asm/prctl.h) */
enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

/* Where the tables are: beyond task_size, so that system calls do not reach them and nothing else
 * is placed there. i386 programs have a GDT for each task, since it holds TLS; x86-64 ones share
 * one, which is only mapped when something reads it. The LDT is the process's. */
static bool wide(const struct linux_process *p)
{
    return p->abi->word == 8;
}

static uint64_t gdt_area(const struct linux_process *p)
{
    return wide(p) ? 0xfffffe0000000000ull : p->abi->task_size;
}

static uint64_t gdt_of(const struct linux_task *t)
{
    return gdt_area(t->process) + (wide(t->process) ? 0 : t->slot * GDT_SIZE);
}

static uint64_t ldt_area(const struct linux_process *p)
{
    return gdt_area(p) + LINUX_SLOTS * GDT_SIZE;
}

static uint64_t get_entry(struct linux_process *p, uint64_t at)
{
    uint64_t entry = 0;
    (void)nw_mem_read(p->engine, at, &entry, sizeof entry); /* not mapped: no entries */
    return entry;
}

static bool put_entry(struct linux_process *p, uint64_t at, uint64_t entry)
{
    return nw_mem_write(p->engine, at, &entry, sizeof entry) == NW_OK;
}

static uint64_t fixed_entry(const struct linux_process *p, unsigned index)
{
    switch (index) {
    case X86_USER32_CS / 8: return CODE32;
    case X86_USER_DS / 8: return DATA;
    case X86_USER_CS / 8: return wide(p) ? CODE64 : 0;
    default: return 0;
    }
}

static uint64_t entry_of(struct linux_task *t, uint16_t selector)
{
    unsigned index = selector / 8u;
    if (selector & SELECTOR_LDT)
        return get_entry(t->process, ldt_area(t->process) + index * 8u);
    if (index >= GDT_ENTRIES)
        return 0;
    uint64_t fixed = fixed_entry(t->process, index);
    return fixed ? fixed : get_entry(t->process, gdt_of(t) + index * 8u);
}

/* Writes the GDT of T, with the TLS entries of FROM. */
static bool fill_gdt(struct linux_task *t, const struct linux_task *from)
{
    uint64_t gdt[GDT_ENTRIES];
    for (unsigned i = 0; i < GDT_ENTRIES; i++)
        gdt[i] = fixed_entry(t->process, i);
    for (unsigned i = X86_TLS_FIRST; from && i < X86_TLS_FIRST + X86_TLS_COUNT; i++)
        gdt[i] = get_entry(t->process, gdt_of(from) + i * 8u);
    return nw_mem_write(t->process->engine, gdt_of(t), gdt, sizeof gdt) == NW_OK;
}

int64_t linux_x86_map_tables(struct linux_process *p)
{
    uint64_t size = LINUX_SLOTS * GDT_SIZE + LDT_SIZE;
    return nw_mem_map(p->engine, gdt_area(p), size, NW_READ) == NW_OK ? 0 : -ENOMEM;
}

bool linux_x86_tables_fault(struct linux_task *t, const nw_exit *exit)
{
    uint64_t offset = exit->addr - gdt_area(t->process);
    if (exit->access == NW_ACCESS_FETCH || exit->fault != NW_FAULT_UNMAPPED ||
        offset >= LINUX_SLOTS * GDT_SIZE + LDT_SIZE)
        return false;
    /* Another thread may have been faster. */
    (void)linux_x86_map_tables(t->process);
    return fill_gdt(t, NULL);
}

void linux_x86_use_tables(struct linux_task *t, const struct linux_task *from)
{
    struct x86_state *s = x86_of(t->vcpu);
    if (!wide(t->process))
        (void)fill_gdt(t, from);
    s->gdtr = (struct x86_table){gdt_of(t), GDT_SIZE - 1};
    /* The LDT has no descriptor of its own: only the kernel's LLDT would read it. */
    s->seg[X86_LDTR] = (struct x86_segment){
        .base = ldt_area(t->process), .limit = LDT_SIZE - 1, .attr = X86_ATTR_P | 2};
}

/* ---- descriptors (SDM 3A 3.4.5) ---- */

static struct x86_segment unpack_entry(uint64_t entry, uint16_t selector)
{
    struct x86_segment seg = {
        .base = (entry >> 16 & 0xffffff) | (entry >> 56 & 0xff) << 24,
        .limit = (uint32_t)((entry & 0xffff) | (entry >> 32 & 0xf0000)),
        .selector = selector,
        .attr = (uint16_t)(entry >> 40 & 0xf0ff),
    };
    if (seg.attr & X86_ATTR_G)
        seg.limit = seg.limit << 12 | 0xfff;
    return seg;
}

static uint64_t pack_entry(const struct x86_user_desc *d)
{
    uint64_t limit = d->limit, base = d->base, flags = d->flags;
    uint64_t type = 1 | (flags & DESC_READ_ONLY ? 0 : 2) | (flags & DESC_CONTENTS) << 1;
    uint64_t attr = type | X86_ATTR_S | 3 << 5;
    if (!(flags & DESC_ABSENT))
        attr |= X86_ATTR_P;
    if (flags & DESC_USEABLE)
        attr |= 1 << 12;
    if (flags & DESC_32BIT)
        attr |= X86_ATTR_DB;
    if (flags & DESC_PAGES)
        attr |= X86_ATTR_G;
    return (limit & 0xffff) | (base & 0xffffff) << 16 | attr << 40 | (limit & 0xf0000) << 32 |
           (base >> 24) << 56;
}

static void describe_entry(uint64_t entry, struct x86_user_desc *d)
{
    uint16_t attr = (uint16_t)(entry >> 40 & 0xf0ff);
    d->base = (uint32_t)unpack_entry(entry, 0).base;
    d->limit = (uint32_t)((entry & 0xffff) | (entry >> 32 & 0xf0000));
    d->flags = (attr & X86_ATTR_DB ? DESC_32BIT : 0) | (attr >> 1 & DESC_CONTENTS) |
               (attr & 2 ? 0 : DESC_READ_ONLY) | (attr & X86_ATTR_G ? DESC_PAGES : 0) |
               (attr & X86_ATTR_P ? 0 : DESC_ABSENT) | (attr & 1 << 12 ? DESC_USEABLE : 0);
}

/* What clears an entry: all zero, or what the kernel calls an empty one. */
static bool clears(const struct x86_user_desc *d)
{
    return !d->base && !d->limit && (!d->flags || d->flags == DESC_EMPTY);
}

void linux_x86_load_segment(struct linux_task *t, enum x86_seg seg, uint16_t selector)
{
    struct x86_state *s = x86_of(t->vcpu);
    struct x86_segment *out = &s->seg[seg];
    uint64_t entry = entry_of(t, selector);
    if ((selector & ~3u) && (entry >> 40 & (X86_ATTR_P | X86_ATTR_S)) == (X86_ATTR_P | X86_ATTR_S))
        *out = unpack_entry(entry, selector);
    else
        *out = (struct x86_segment){.selector = selector & 3u};
}

void linux_x86_return_segments(struct linux_task *t, uint16_t code, uint16_t stack)
{
    struct x86_state *s = x86_of(t->vcpu);
    linux_x86_load_segment(t, X86_CS, code | 3);
    if (!(s->seg[X86_CS].attr & TYPE_CODE) || X86_ATTR_DPL(s->seg[X86_CS].attr) != 3)
        linux_x86_load_segment(t, X86_CS, t->process->abi->word == 8 ? X86_USER_CS : X86_USER32_CS);
    linux_x86_load_segment(t, X86_SS, stack | 3);
    if ((s->seg[X86_SS].attr & (TYPE_CODE | TYPE_WRITABLE)) != TYPE_WRITABLE ||
        X86_ATTR_DPL(s->seg[X86_SS].attr) != 3)
        linux_x86_load_segment(t, X86_SS, X86_USER_DS);
}

/* The hidden parts of data segments that name the entry follow it. */
static void refresh(struct linux_task *t, uint16_t selector)
{
    static const enum x86_seg segs[] = {X86_DS, X86_ES, X86_FS, X86_GS};
    struct x86_state *s = x86_of(t->vcpu);
    for (size_t i = 0; i < ARRAY_LEN(segs); i++)
        if (((s->seg[segs[i]].selector ^ selector) & ~3u) == 0)
            linux_x86_load_segment(t, segs[i], s->seg[segs[i]].selector);
    x86_mode_update(s);
}

int64_t linux_x86_set_tls(struct linux_task *t, uint64_t gva, bool allocate)
{
    struct x86_user_desc d;
    if (linux_copy_in(t, &d, gva, sizeof d))
        return -EFAULT;
    if (!clears(&d) && (!(d.flags & DESC_32BIT) || d.flags & 4 || d.flags & DESC_ABSENT))
        return -EINVAL;
    if (d.entry == UINT32_MAX && allocate) {
        d.entry = X86_TLS_FIRST;
        while (d.entry < X86_TLS_FIRST + X86_TLS_COUNT &&
               get_entry(t->process, gdt_of(t) + d.entry * 8u))
            d.entry++;
        if (d.entry == X86_TLS_FIRST + X86_TLS_COUNT)
            return -ESRCH;
        if (linux_put_u32(t, gva, d.entry))
            return -EFAULT;
    }
    if (d.entry < X86_TLS_FIRST || d.entry >= X86_TLS_FIRST + X86_TLS_COUNT)
        return -EINVAL;
    if (!put_entry(t->process, gdt_of(t) + d.entry * 8u, clears(&d) ? 0 : pack_entry(&d)))
        return -ENOMEM;
    refresh(t, (uint16_t)(d.entry * 8u));
    return 0;
}

/* ---- system calls ---- */

int64_t sys_set_thread_area(struct linux_task *t, const uint64_t a[6])
{
    return linux_x86_set_tls(t, a[0], true);
}

int64_t sys_get_thread_area(struct linux_task *t, const uint64_t a[6])
{
    struct x86_user_desc d;
    if (linux_copy_in(t, &d, a[0], sizeof d))
        return -EFAULT;
    if (d.entry < X86_TLS_FIRST || d.entry >= X86_TLS_FIRST + X86_TLS_COUNT)
        return -EINVAL;
    uint64_t entry = get_entry(t->process, gdt_of(t) + d.entry * 8u);
    describe_entry(entry, &d);
    return linux_copy_out(t, a[0], &d, sizeof d);
}

static int64_t read_ldt(struct linux_task *t, uint64_t gva, uint64_t size)
{
    uint64_t entries = LDT_ENTRIES;
    while (entries && !get_entry(t->process, ldt_area(t->process) + (entries - 1) * 8u))
        entries--;
    if (!entries)
        return 0;
    size = size < LDT_SIZE ? size : LDT_SIZE;
    for (uint64_t at = 0; at < size; at += 8) {
        uint64_t entry = get_entry(t->process, ldt_area(t->process) + at);
        if (linux_copy_out(t, gva + at, &entry, size - at < 8 ? size - at : 8))
            return -EFAULT;
    }
    return (int64_t)size;
}

static int64_t write_ldt(struct linux_task *t, uint64_t gva, uint64_t size, bool old)
{
    struct x86_user_desc d;
    if (size != sizeof d)
        return -EINVAL;
    if (linux_copy_in(t, &d, gva, sizeof d))
        return -EFAULT;
    if (d.entry >= LDT_ENTRIES)
        return -EINVAL;
    if ((d.flags & DESC_CONTENTS) == DESC_CONTENTS && (old || !(d.flags & DESC_ABSENT)))
        return -EINVAL;
    if (old)
        d.flags &= ~(uint32_t)DESC_USEABLE;
    bool clear = (old && !d.base && !d.limit) || clears(&d);
    uint64_t at = ldt_area(t->process) + d.entry * 8u, entry = clear ? 0 : pack_entry(&d);
    if (!put_entry(t->process, at, entry)) {
        (void)linux_x86_map_tables(t->process);
        if (!fill_gdt(t, NULL) || !put_entry(t->process, at, entry))
            return -ENOMEM;
    }
    refresh(t, (uint16_t)(d.entry * 8u | SELECTOR_LDT));
    return 0;
}

int64_t sys_modify_ldt(struct linux_task *t, const uint64_t a[6])
{
    switch ((int)a[0]) {
    case 0: return read_ldt(t, a[1], a[2]);
    case 1: return write_ldt(t, a[1], a[2], true);
    case 0x11: return write_ldt(t, a[1], a[2], false);
    case 2: { /* the default LDT: nothing */
        static const uint8_t zeros[128];
        uint64_t size = t->process->abi->word == 8 ? 128 : 40;
        size = a[2] < size ? a[2] : size;
        return linux_copy_out(t, a[1], zeros, size) ? -EFAULT : (int64_t)size;
    }
    default: return -ENOSYS;
    }
}

int64_t sys_arch_prctl(struct linux_task *t, const uint64_t a[6])
{
    struct x86_state *s = x86_of(t->vcpu);
    switch ((int)a[0]) {
    case ARCH_SET_GS:
    case ARCH_SET_FS:
        if (t->process->abi->word != 8)
            return -EINVAL;
        if (a[1] >= t->process->abi->task_size)
            return -EPERM;
        s->seg[(int)a[0] == ARCH_SET_GS ? X86_GS : X86_FS] = (struct x86_segment){.base = a[1]};
        return 0;
    case ARCH_GET_FS: return linux_put_word(t, a[1], s->seg[X86_FS].base);
    case ARCH_GET_GS: return linux_put_word(t, a[1], s->seg[X86_GS].base);
    default: return -EINVAL;
    }
}

/* No ports for programs. */
int64_t sys_iopl(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return a[0] > 3 ? -EINVAL : a[0] ? -EPERM : 0;
}

int64_t sys_ioperm(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    if (a[0] + a[1] <= a[0] || a[0] + a[1] > 65536)
        return -EINVAL;
    return (int)a[2] ? -EPERM : 0;
}
