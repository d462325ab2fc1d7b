#include "mem/core.h"
#include "mem/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

nw_status space_init(struct mem_space *space, uint64_t last, uint64_t granule, bool arena,
                     const struct mem_client *client, void *opaque)
{
    memset(space, 0, sizeof *space);
    space->last = last;
    space->granule = granule;
    space->unit = granule < PAGE_SIZE_ ? granule : PAGE_SIZE_;
    /* A guest that knew the priorities could choose addresses that make the tree a list. */
    if (getrandom(&space->regions.seed, sizeof space->regions.seed, GRND_NONBLOCK) < 0)
        space->regions.seed = (uint32_t)((uintptr_t)space >> 12);
    space->annex_used.seed = ~space->regions.seed;
    space->client = client;
    space->opaque = opaque;
    if (pthread_rwlock_init(&space->lock, NULL))
        return NW_ERR_NOMEM;
    if (pthread_mutex_init(&space->code_lock, NULL)) {
        pthread_rwlock_destroy(&space->lock);
        return NW_ERR_NOMEM;
    }
    if (arena)
        arena_reserve(space, last > UINT32_MAX ? WINDOW_64 : WINDOW_32);
    return NW_OK;
}

/* With its memory, unless a snapshot wants that. */
static void drop_region(struct mem_region *r, void *opaque)
{
    alias_remove(opaque, r);
    if (snap_hold(opaque, r))
        return;
    if (r->kind == MEM_OWNED && !r->in_arena)
        annex_give(opaque, r->host, r->end - r->start);
    free(r);
}

/* The map is another one from now on. */
static void note_change(struct mem_space *space)
{
    space->generation++;
    space->map_version = ++space->map_versions;
}

void space_free(struct mem_space *space)
{
    region_free_all(space->regions.root);
    region_free_all(space->callers.root);
    space_snap_free(space);
    annex_free(space);
    for (uint32_t i = 0; i < space->code_buckets; i++) {
        for (struct code_page *p = space->code[i], *next; p; p = next) {
            next = p->next;
            free(p);
        }
    }
    free(space->code);
    arena_release(space);
    pthread_mutex_destroy(&space->code_lock);
    pthread_rwlock_destroy(&space->lock);
}

nw_status space_check(const struct mem_space *space, uint64_t gpa, uint64_t size)
{
    if (size == 0 || ((gpa | size) & (space->granule - 1)))
        return NW_ERR_ARG;
    if (gpa > space->last || size - 1 > space->last - gpa)
        return NW_ERR_RANGE;
    return NW_OK;
}

static struct mem_region *region_new(uint64_t gpa, uint64_t size, uint32_t perms,
                                     enum mem_kind kind)
{
    struct mem_region *r = calloc(1, sizeof *r);

    if (r) {
        r->start = gpa;
        r->end = gpa + size;
        r->perms = (uint8_t)perms;
        r->kind = (uint8_t)kind;
        r->base = gpa;
    }
    return r;
}

void space_note_range(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    if (!space->arena || space->beyond || gpa + size - 1 < space->window)
        return;
    space->beyond = true;
    space->client->beyond_window(space->opaque);
}

/* Adds R unless something is there. */
static nw_status add(struct mem_space *space, struct mem_region *r)
{
    if (!r)
        return NW_ERR_NOMEM;
    space_note_range(space, r->start, r->end - r->start);
    pthread_rwlock_wrlock(&space->lock);
    if (!region_none(&space->regions, r->start, r->end - r->start)) {
        pthread_rwlock_unlock(&space->lock);
        free(r);
        return NW_ERR_OVERLAP;
    }
    if (r->kind == MEM_PTR && alias_add(space, r) != NW_OK) {
        pthread_rwlock_unlock(&space->lock);
        free(r);
        return NW_ERR_NOMEM;
    }
    r->born = space->serial;
    space->map_version = ++space->map_versions;
    region_insert(&space->regions, r);
    if (r->kind == MEM_OWNED && !r->file) {
        uint64_t start = r->start, end = r->end;

        region_heal(&space->regions, start);
        region_heal(&space->regions, end);
    }
    pthread_rwlock_unlock(&space->lock);
    return NW_OK;
}

/* Host memory in the arena. The reservation is inaccessible, so anonymous memory only needs its
 * protection changed. */
static nw_status back_in_arena(struct mem_space *space, struct mem_region *r,
                               const struct mem_backing *from)
{
    uint8_t *at = space->arena + r->start;
    size_t size = r->end - r->start;
    int prot = arena_prot(r->perms);

    if (from->fd < 0 && !from->shared) {
        if (prot != PROT_NONE && mprotect(at, size, prot))
            return NW_ERR_NOMEM;
    } else {
        int flags = (from->shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | MAP_NORESERVE |
                    (from->fd < 0 ? MAP_ANONYMOUS : 0);

        if (mmap(at, size, prot, flags, from->fd, (off_t)from->offset) == MAP_FAILED)
            return errno == ENOMEM ? NW_ERR_NOMEM : NW_ERR_HOST;
    }
    r->host = at;
    r->in_arena = true;
    return NW_OK;
}

/* Host memory anywhere, accessible as far as the file allows: the software checks permissions. */
static nw_status back_in_annex(struct mem_space *space, struct mem_region *r,
                               const struct mem_backing *from)
{
    size_t size = r->end - r->start;
    int flags = (from->shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE | MAP_FIXED |
                (from->fd < 0 ? MAP_ANONYMOUS : 0);
    uint8_t *host = annex_take(space, r->start, size);
    size_t before = r->start & (PAGE_SIZE_ - 1);

    if (!host)
        return NW_ERR_NOMEM;
    /* The host makes whole pages of it. */
    void *at = mmap(host - before, before + size, PROT_READ | PROT_WRITE, flags, from->fd,
                    (off_t)from->offset);

    if (at == MAP_FAILED && errno == EACCES && from->shared && !(r->perms & NW_WRITE))
        at = mmap(host, size, PROT_READ, flags, from->fd, (off_t)from->offset);
    if (at == MAP_FAILED) {
        int error = errno;

        annex_give(space, host, size);
        errno = error;
        return error == ENOMEM ? NW_ERR_NOMEM : NW_ERR_HOST;
    }
    r->host = host;
    return NW_OK;
}

/* The host bounds how many mappings a process has (vm.max_map_count, 65530), and a region in the
 * arena takes two of them, itself and the hole after it. Regions beyond this many live elsewhere,
 * where the host merges them into one mapping. */
#define ARENA_REGIONS_MAX 20000

/* A free range that is either in the window or outside it. */
static nw_status map_part(struct mem_space *space, uint64_t gpa, uint64_t size, uint32_t perms,
                          const struct mem_backing *from)
{
    struct mem_region *r;
    nw_status status = NW_ERR_NOMEM;

    r = region_new(gpa, size, perms, MEM_OWNED);
    if (!r)
        return NW_ERR_NOMEM;
    r->file = from->fd >= 0;
    r->shared = from->shared;
    r->offset = from->offset;
    if (space_in_window(space, gpa, size) && space->regions.count < ARENA_REGIONS_MAX)
        status = back_in_arena(space, r, from);
    if (status == NW_ERR_NOMEM)
        status = back_in_annex(space, r, from);
    if (status != NW_OK) {
        free(r);
        return status;
    }
    return add(space, r);
}

nw_status space_map(struct mem_space *space, uint64_t gpa, uint64_t size, uint32_t perms,
                    const struct mem_backing *from)
{
    struct mem_backing rest = *from;
    uint64_t window = space->left ? 0 : space->window, inside = window - gpa;
    nw_status status;

    /* Only calls that hold the engine's lock change the map, so the answer keeps. */
    pthread_rwlock_rdlock(&space->lock);
    bool taken = !region_none(&space->regions, gpa, size);
    pthread_rwlock_unlock(&space->lock);
    if (taken)
        return NW_ERR_OVERLAP;
    if (gpa >= window || inside >= size)
        return map_part(space, gpa, size, perms, from);
    TRY(map_part(space, gpa, inside, perms, from));
    rest.offset += inside;
    status = map_part(space, gpa + inside, size - inside, perms, &rest);
    if (status != NW_OK)
        space_unmap(space, gpa, inside);
    return status;
}

nw_status space_map_ptr(struct mem_space *space, uint64_t gpa, uint64_t size, uint32_t perms,
                        void *host, bool *aliased)
{
    struct mem_region *r = region_new(gpa, size, perms, MEM_PTR);

    if (!r)
        return NW_ERR_NOMEM;
    r->host = host;
    nw_status status = add(space, r);
    if (status == NW_OK)
        *aliased = r->aliased;
    return status;
}

nw_status space_map_mmio(struct mem_space *space, uint64_t gpa, uint64_t size, nw_mmio_read_fn read,
                         nw_mmio_write_fn write, void *opaque)
{
    struct mem_region *r = region_new(gpa, size, NW_RW, MEM_MMIO);

    if (r) {
        r->read = read;
        r->write = write;
        r->opaque = opaque;
    }
    return add(space, r);
}

struct move_out {
    struct mem_space *space;
    nw_status status;
};

static void move_out(struct mem_region *r, void *opaque)
{
    struct move_out *m = opaque;
    uint64_t size = r->end - r->start;
    uint8_t *to;

    if (!r->in_arena || m->status != NW_OK)
        return;
    to = annex_take(m->space, r->start, size);
    if (!to || !mem_relocate(r->host, size, to, size)) {
        if (to)
            annex_give(m->space, to, size);
        m->status = NW_ERR_NOMEM;
        return;
    }
    mprotect(r->host, size, PROT_NONE);
    /* Of a file that cannot be written the host keeps its own opinion. */
    if (mprotect(to, size, PROT_READ | PROT_WRITE))
        mprotect(to, size, PROT_READ);
    r->host = to;
    r->in_arena = false;
}

nw_status space_leave_arena(struct mem_space *space)
{
    struct move_out m = {space, NW_OK};

    pthread_rwlock_wrlock(&space->lock);
    pthread_mutex_lock(&space->code_lock);
    region_each(space->regions.root, move_out, &m);
    space->left = m.status == NW_OK;
    space->generation++;
    pthread_mutex_unlock(&space->code_lock);
    pthread_rwlock_unlock(&space->lock);
    return m.status;
}

static nw_status take(struct mem_space *space, uint64_t gpa, uint64_t size, bool holes,
                      struct mem_region **out)
{
    if (!holes && !region_all(&space->regions, gpa, size))
        return NW_ERR_UNMAPPED;
    TRY(region_cut(&space->regions, gpa));
    TRY(region_cut(&space->regions, gpa + size));
    *out = region_take(&space->regions, gpa, gpa + size);
    return NW_OK;
}

static void uses_arena(struct mem_region *r, void *opaque)
{
    if (r->in_arena)
        *(uint64_t *)opaque = r->end;
}

static nw_status unmap(struct mem_space *space, uint64_t gpa, uint64_t size, bool holes)
{
    struct mem_region *gone = NULL;
    uint64_t arena_end = 0; /* of the last region that is there */
    nw_status status;

    pthread_rwlock_wrlock(&space->lock);
    status = take(space, gpa, size, holes, &gone);
    if (status == NW_OK) {
        region_each(gone, uses_arena, &arena_end);
        if (arena_end &&
            mmap(space->arena + gpa, arena_end - gpa, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
            region_put_back(&space->regions, gone);
            status = NW_ERR_NOMEM;
        } else {
            region_each(gone, drop_region, space);
            note_change(space);
        }
    }
    pthread_rwlock_unlock(&space->lock);
    return status;
}

nw_status space_unmap(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    return unmap(space, gpa, size, false);
}

nw_status space_clear(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    return unmap(space, gpa, size, true);
}

struct protect_walk {
    struct mem_space *space;
    uint32_t perms;
    nw_status status;
};

static void protect_host(struct mem_region *r, void *opaque)
{
    struct protect_walk *walk = opaque;
    int prot = arena_prot(walk->perms);

    if (walk->status != NW_OK || r->kind != MEM_OWNED)
        return;
    if (r->in_arena) {
        if (mprotect(r->host, r->end - r->start, prot))
            walk->status = errno == EACCES ? NW_ERR_HOST : NW_ERR_NOMEM;
    } else if (r->shared && (walk->perms & NW_WRITE) &&
               mprotect(r->host, r->end - r->start, PROT_READ | PROT_WRITE)) {
        walk->status = NW_ERR_HOST;
    }
}

static void restore_host(struct mem_region *r, void *opaque)
{
    (void)opaque;
    if (r->in_arena)
        mprotect(r->host, r->end - r->start, arena_prot(r->perms));
}

static void protect_guest(struct mem_region *r, void *opaque)
{
    r->perms = (uint8_t)((struct protect_walk *)opaque)->perms;
}

/* Merging with the neighbours keeps the map small under programs that flip permissions. */
static void heal_range(struct mem_space *space, uint64_t gpa, uint64_t end)
{
    uint64_t at = gpa;

    for (;;) {
        struct mem_region *r;

        region_heal(&space->regions, at);
        r = region_find(&space->regions, at);
        if (!r || r->end == 0 || (end && r->end > end))
            return;
        at = r->end;
    }
}

nw_status space_protect(struct mem_space *space, uint64_t gpa, uint64_t size, uint32_t perms)
{
    struct protect_walk walk = {space, perms, NW_OK};
    struct mem_region *part = NULL;
    nw_status status;

    pthread_rwlock_wrlock(&space->lock);
    status = take(space, gpa, size, false, &part);
    if (status == NW_OK) {
        region_each(part, protect_host, &walk);
        region_each(part, walk.status == NW_OK ? protect_guest : restore_host, &walk);
        region_put_back(&space->regions, part);
        heal_range(space, gpa, gpa + size);
        status = walk.status;
        note_change(space);
    }
    pthread_rwlock_unlock(&space->lock);
    return status;
}
