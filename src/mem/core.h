/* An engine's address space from within: regions, the arena, pages that hold translated code.
 *
 * Locks, in the order in which they are taken: the engine's own, space->lock (regions),
 * space->code_lock (code pages and the host protection of single pages). Calls that change the
 * map are made with the engine's lock held; see exec/memory.c. */
#ifndef MEM_CORE_H
#define MEM_CORE_H

#include <pthread.h>
#include "exec/vcpu.h"
#include "mem/region.h"

struct block;
struct mmu_page;
struct hook_frame;

/* The arena is a window on the lowest guest addresses: of a 32-bit guest all of them; of a 64-bit
 * guest so many that thousands of engines find room in one process. */
#define WINDOW_32 (1ull << 32)
#define WINDOW_64 (1ull << 35)
/* What a displacement may lead out of the window, and the size of an access. */
#define GUARD_32 (1ull << 20)
#define GUARD_64 ((1ull << 31) + (1ull << 20))

/* What hooks of accesses there are. ORDER MEM_HOOK: they are called in this order. */
enum mem_hook { MEM_HOOK_READ = 1, MEM_HOOK_READ_AFTER = 2, MEM_HOOK_WRITE = 4 };

/* The place of a report among those of one instruction. */
static inline uint32_t mem_hook_order(const struct nw_vcpu *vcpu, enum mem_hook kind)
{
    return 8 * vcpu->access_index + kind;
}

enum mem_hook_result {
    MEM_HOOK_GO,    /* go on with the access */
    MEM_HOOK_STOP,  /* the vCPU is to leave: vcpu->leave is set, a store is done all the same */
    MEM_HOOK_LEAVE, /* vcpu->leave is set: nothing may be done any more */
    MEM_HOOK_TOLD   /* a store that was told of before the instruction was run again: what it writes
                     * is vcpu->told */
};

/* What the memory asks of the engine. OPAQUE is the engine. */
struct mem_client {
    /* A store of the vCPU hits translated code: either forget that code and give true, or arrange
     * for the instruction to be run again later (vcpu->leave) and give false. */
    bool (*store_hits_code)(struct nw_vcpu *, uint64_t gpa, uint32_t size);
    /* The vCPU is about to run, or has run, a callback of a device. Registers may be read in it;
     * when the pc has been written vcpu->leave is set afterwards, and the instruction is given up.
     */
    void (*callback_enter)(struct nw_vcpu *, struct hook_frame *);
    void (*callback_leave)(struct nw_vcpu *, struct hook_frame *);
    /* Page PAGE has become a code page: no vCPU may hold a write tag of it from now on. */
    void (*drop_write_tags)(void *opaque, uint64_t page);
    /* Between these no other vCPU touches guest memory. No lock of the space is held. */
    void (*exclusive_begin)(struct nw_vcpu *);
    void (*exclusive_end)(struct nw_vcpu *);
    /* A walk through a guest's tables has written into translated code. */
    void (*walk_hits_code)(struct nw_vcpu *);
    /* vcpu->translate is asked: sets gpa, of the page, and rights of *OUT. No lock is held. */
    bool (*translate)(struct nw_vcpu *, uint64_t gva, nw_access, struct mmu_page *out);
    /* Hooks: which kinds (enum mem_hook) concern anything in the page at GVA. */
    uint32_t (*hooked_page)(void *opaque, uint64_t page);
    /* … and calling those that concern the access, KIND one of them; DATA in guest order, null
     * before a load. */
    enum mem_hook_result (*hook)(struct nw_vcpu *, enum mem_hook kind, uint64_t gva, uint32_t size,
                                 const uint8_t *data);
    enum mem_hook_result (*hook_after)(struct nw_vcpu *, enum mem_hook kind,
                                       const struct hook_frame *);
    /* The first mapping beyond the window is about to be made: space->beyond is set. */
    void (*beyond_window)(void *opaque);
};

/* Where in a page there is code: a bit for each 16 bytes. Stores are caught by these, so that finer ones kill
 * less of the code beside. */
#define CODE_GRANULE_BITS 4
#define CODE_WORDS        (PAGE_SIZE_ >> CODE_GRANULE_BITS >> 6)
struct code_bits {
    uint64_t word[CODE_WORDS];
};

static inline bool code_bits_meet(const struct code_bits *a, const struct code_bits *b)
{
    uint64_t both = 0;

    for (unsigned n = 0; n < CODE_WORDS; n++)
        both |= a->word[n] & b->word[n];
    return both;
}
/* Adds B to A. True: they were in it. */
static inline bool code_bits_add(struct code_bits *a, const struct code_bits *b)
{
    uint64_t more = 0;

    for (unsigned n = 0; n < CODE_WORDS; n++) {
        more |= b->word[n] & ~a->word[n];
        a->word[n] |= b->word[n];
    }
    return !more;
}

/* A page that translated code was made from. */
struct code_page {
    uint64_t page;        /* guest physical address */
    struct code_bits translated;
    struct block *blocks; /* guarded by the engine's lock */
    struct code_page *next;
};

#define CODE_BUCKETS_MIN  64

/* After so many it is asked whether there are too many (engine_mind_stores). */
#define SHUT_STORES_MAX 512u

struct snap_level;

/* Regions are multiples of a granule. One of less than a page must be no smaller than what code is
 * tracked by, nor than an access. */
#define GRANULE_MIN 64

struct mem_space {
    pthread_rwlock_t lock;
    struct region_tree regions;
    uint64_t last;    /* highest guest physical address */
    uint64_t granule; /* a power of two */
    uint64_t unit;  /* the smaller of granule and page: what lies in one is in one region or none */
    uint8_t *arena; /* null: none */
    uint64_t window; /* guest addresses below lie at arena + address; 0: none do */
    uint64_t guard;  /* bytes on both sides of the window that stay inaccessible */
    /* Something is or was mapped at or above the window's end. Translated code that checks a base
     * once for several accesses counts on it that there is nothing. */
    _Atomic bool beyond;
    bool left;             /* the arena is out of use: see engine_leave_arena */
    _Atomic uint32_t shut_stores; /* into pages of the arena that had to be opened for them */
    uint32_t hooked;       /* enum mem_hook of the hooks that there are; then the arena is left */
    bool hooked_whole;     /* some of those of loads are told of large ones as a whole: else by 8 bytes */
    struct annex *annexes; /* reserved when needed */
    struct region_tree annex_used; /* by host address */
    _Atomic uint64_t generation;   /* with an arena: TLBs of older generations are stale */

    struct region_tree callers; /* memory of the caller's that is or was mapped, by host address */
    bool aliased;               /* some region is: see alias.c */

    struct snap_level *snaps; /* mem/snapshot.h; also guarded by code_lock */
    uint64_t serial;          /* of the last one that was taken */
    uint64_t map_version;     /* which map this is: two of the same number are equal */
    uint64_t map_versions;    /* so many maps there were */

    pthread_mutex_t code_lock;
    struct code_page **code; /* hash by page */
    uint32_t code_buckets, code_pages;

    const struct mem_client *client;
    void *opaque;
};

/* LAST: the highest guest physical address. ARENA: reserve one; goes without when the host has no
 * room. */
nw_status space_init(struct mem_space *, uint64_t last, uint64_t granule, bool arena,
                     const struct mem_client *, void *opaque);
void space_free(struct mem_space *);

/* Checks alignment, emptiness and wrapping of a range of granules. */
nw_status space_check(const struct mem_space *, uint64_t gpa, uint64_t size);

/* How a new mapping gets its memory. */
struct mem_backing {
    int fd;          /* -1: anonymous */
    uint64_t offset; /* in the file */
    bool shared;
};
nw_status space_map(struct mem_space *, uint64_t gpa, uint64_t size, uint32_t perms,
                    const struct mem_backing *);
/* *ALIASED: some of the memory is mapped elsewhere too; write tags of it must go. */
nw_status space_map_ptr(struct mem_space *, uint64_t gpa, uint64_t size, uint32_t perms,
                        void *host, bool *aliased);
nw_status space_map_mmio(struct mem_space *, uint64_t gpa, uint64_t size, nw_mmio_read_fn,
                         nw_mmio_write_fn, void *opaque);
/* The code in the range has been forgotten already. */
nw_status space_unmap(struct mem_space *, uint64_t gpa, uint64_t size);
/* As space_unmap for whatever part is mapped. */
nw_status space_clear(struct mem_space *, uint64_t gpa, uint64_t size);
nw_status space_protect(struct mem_space *, uint64_t gpa, uint64_t size, uint32_t perms);
/* Moves the mapping at FROM to the free range at TO, resizing it on the way. NW_ERR_BUSY: there are
 * snapshots. */
nw_status space_move(struct mem_space *, uint64_t from, uint64_t old_size, uint64_t to,
                     uint64_t new_size);

/* Is the page at PAGE the region's as a whole? Else no tag may stand for it. */
static inline bool region_has_page(const struct mem_region *r, uint64_t page)
{
    return r->start <= page && r->end - 1 >= page + (PAGE_SIZE_ - 1);
}

/* Is all of the range in the window? */
static inline bool space_in_window(const struct mem_space *space, uint64_t gpa, uint64_t size)
{
    return !space->left && gpa < space->window && size <= space->window - gpa;
}
/* Something is about to be mapped in the range; engine's lock held. */
void space_note_range(struct mem_space *, uint64_t gpa, uint64_t size);

/* Debugger access, permissions ignored. */
nw_status space_read(struct mem_space *, uint64_t gpa, void *buf, size_t size);
nw_status space_write(struct mem_space *, uint64_t gpa, const void *buf, size_t size);
/* Contiguous host memory at GPA, at most SIZE bytes; see mem_host_span. */
size_t space_host_span(struct mem_space *, uint64_t gpa, size_t size, uint32_t need, void **hva);

/* ---- code pages ---- */

/* Copies code for the translator and marks it as such before it is read. */
bool space_fetch_code(struct mem_space *, uint64_t gpa, void *buf, unsigned size);
/* The code page at PAGE, or null. Engine's lock or code_lock held. */
struct code_page *space_code_page(struct mem_space *, uint64_t page);
/* Replaces what is translated of the page; without blocks it ceases to be a code page. */
void space_code_update(struct mem_space *, struct code_page *, const struct code_bits *translated);
/* What [GPA, GPA + SIZE) touches of PAGE. */
struct code_bits code_bits_of(uint64_t page, uint64_t gpa, uint64_t size);

/* Does the range touch code, through whatever mapping of its memory? Space's lock held, and the
 * engine's or code_lock. */
bool space_hits_code(struct mem_space *, uint64_t gpa, uint64_t size);

/* ---- memory that is mapped more than once (alias.c); space's lock held ---- */
/* R, a new MEM_PTR region, is about to be inserted; who shares memory with it is marked. */
nw_status alias_add(struct mem_space *, struct mem_region *);
/* R has been taken out. */
void alias_remove(struct mem_space *, const struct mem_region *);
/* Calls FN with every other guest range on the same memory. The engine's lock will do. */
typedef void (*alias_fn)(void *opaque, uint64_t gpa, uint64_t size);
void alias_each(const struct mem_space *, uint64_t gpa, uint64_t size, alias_fn, void *opaque);

/* ---- host protection (region.in_arena pages); SPACE->code_lock held ---- */

/* The host protection that PERMS ask for. */
int arena_prot(uint32_t perms);
/* Opens one page for access by the engine itself, whatever the guest may do, and closes it. */
bool space_open_page(struct mem_space *, const struct mem_region *, uint64_t page);
void space_close_page(struct mem_space *, const struct mem_region *, uint64_t page);
/* May the host read or write that page now? */
bool space_page_open(struct mem_space *, const struct mem_region *, uint64_t page, bool write);
/* Reserves a window of SIZE bytes with guard zones. False: the host has no room. */
bool arena_reserve(struct mem_space *, uint64_t size);
void arena_release(struct mem_space *);
/* Are accesses at ADDR served by the TLB without locks? Whoever changes the map there must have
 * brought the vCPUs out of the way. */
static inline bool space_by_tlb(const struct mem_space *space, uint64_t addr)
{
    return space->left || addr >= space->window;
}

/* Moves all memory out of the arena, which becomes inaccessible. NW_ERR_NOMEM: part of it may have
 * moved, and the arena stays in use. The vCPUs are paused. */
nw_status space_leave_arena(struct mem_space *);

/* ---- host memory outside the arena (annex.c); engine's lock held ---- */
/* SIZE bytes of reservation to map something over, which begin at GPA's offset in a page, or null.
 * What is left of the first and last page is the range's too. */
uint8_t *annex_take(struct mem_space *, uint64_t gpa, uint64_t size);
/* Such a range, or a part of one, becomes free, its pages inaccessible when no part of them is
 * used. */
void annex_give(struct mem_space *, uint8_t *host, uint64_t size);
void annex_free(struct mem_space *);
/* Moves the mapping [FROM, FROM + OLD_SIZE) over what is at TO, resizing it; TO may be FROM. FROM
 * stays mapped, to nothing in particular. False: not moved. */
bool mem_relocate(uint8_t *from, uint64_t old_size, uint8_t *to, uint64_t new_size);

/* ---- guarded host access (files may be shorter than their mapping) ---- */
bool guarded_copy(void *to, const void *from, size_t size);
/* These go from page to page, with DOWN from the end on, and give how many bytes were done until an
 * access failed. What overlaps is moved as by memmove within a page only. */
size_t guarded_move(void *to, const void *from, size_t size, bool down);
/* With elements of ELEM bytes; TO is aligned to them or SIZE is within a page. */
size_t guarded_fill(void *to, uint64_t value, unsigned elem, size_t size, bool down);
bool guarded_probe(const void *at);

/* ---- TLB ---- */
/* Of a new vCPU. */
void tlb_reset(struct nw_vcpu *);
void tlb_flush(struct nw_vcpu *);
void tlb_flush_page(struct nw_vcpu *, uint64_t page);
/* All entries but those of global pages. */
void tlb_flush_local(struct nw_vcpu *);
/* All entries of larger pages that hold PAGE. */
void tlb_flush_large(struct nw_vcpu *, uint64_t page);
/* No page that lies at GPA may be written without the slow path. */
void tlb_drop_writes(struct nw_vcpu *, uint64_t gpa);
/* Pages with hooked accesses: the same, for the slow path. The host address or null. */
void watch_fill(struct nw_vcpu *, uint64_t page, const struct tlb_entry *);
static inline const struct tlb_entry *watch_entry(const struct nw_vcpu *vcpu, uint64_t gva)
{
    return &vcpu->watch[(gva >> PAGE_BITS) & (WATCH_SIZE - 1)];
}

static inline uint8_t *watch_hit(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, bool write)
{
    uint64_t page = gva & ~(PAGE_SIZE_ - 1);
    const struct tlb_entry *e = watch_entry(vcpu, gva);

    if (!vcpu->watching || (write ? e->write : e->read) != page ||
        gva + (size - 1) - page >= PAGE_SIZE_)
        return NULL;
    return (uint8_t *)(uintptr_t)(gva + e->addend);
}
/* Granules of pages that are not one region's: the same again, for pages without hooks too. */
void parts_fill(struct nw_vcpu *, uint64_t at, const struct tlb_entry *);
static inline struct tlb_entry *parts_slot(struct nw_vcpu *vcpu, uint64_t at)
{
    return &vcpu->parts[at / vcpu->mem->unit & (PARTS_SIZE - 1)];
}
static inline uint8_t *parts_hit(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, bool write)
{
    uint64_t unit = vcpu->mem->unit, at = gva & ~(unit - 1);
    const struct tlb_entry *e = parts_slot(vcpu, at);

    if (!vcpu->parted || (write ? e->write : e->read) != at || gva + (size - 1) - at >= unit)
        return NULL;
    return (uint8_t *)(uintptr_t)(gva + e->addend);
}
/* The entry that holds PAGE, from the victims if need be, or null. */
struct tlb_entry *tlb_find(struct nw_vcpu *, unsigned mmu, uint64_t page);
void tlb_fill(struct nw_vcpu *, unsigned mmu, uint64_t page, const struct tlb_entry *);

#endif
