/* The list of mapped guest ranges. */
#include "os/linux/vma.h"

#include <stdlib.h>
#include <string.h>

size_t vma_find(const struct vma_list *l, uint64_t addr)
{
    size_t low = 0, high = l->len;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (l->at[mid].end > addr)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

bool vma_covers(const struct vma_list *l, uint64_t start, uint64_t end, uint32_t prot)
{
    for (size_t i = vma_find(l, start); start < end; i++) {
        if (i == l->len || l->at[i].start > start || (l->at[i].prot & prot) != prot)
            return false;
        start = l->at[i].end;
    }
    return true;
}

bool vma_is_free(const struct vma_list *l, uint64_t start, uint64_t end)
{
    size_t i = vma_find(l, start);
    return i == l->len || l->at[i].start >= end;
}

bool vma_reserve(struct vma_list *l, size_t n)
{
    if (l->len + n <= l->cap)
        return true;
    size_t want = l->cap ? l->cap * 2 : 64;
    while (want < l->len + n)
        want *= 2;
    struct linux_vma *bigger = realloc(l->at, want * sizeof *bigger);
    if (!bigger)
        return false;
    l->at = bigger;
    l->cap = want;
    return true;
}

static void open_slot(struct vma_list *l, size_t i)
{
    memmove(l->at + i + 1, l->at + i, (l->len - i) * sizeof *l->at);
    l->len++;
}

static void close_slots(struct vma_list *l, size_t i, size_t n)
{
    if (!n) /* AT of an empty list is null, to which nothing may be added */
        return;
    for (size_t k = i; k < i + n; k++)
        free(l->at[k].path);
    memmove(l->at + i, l->at + i + n, (l->len - i - n) * sizeof *l->at);
    l->len -= n;
}

void vma_split(struct vma_list *l, uint64_t addr)
{
    size_t i = vma_find(l, addr);
    if (i == l->len || l->at[i].start >= addr)
        return;
    open_slot(l, i);
    struct linux_vma *low = &l->at[i], *high = &l->at[i + 1];
    low->end = high->start = addr;
    if (low->inode)
        high->offset += addr - low->start;
    if (low->path)
        high->path = strdup(low->path); /* a failure loses a name in /proc/self/maps */
}

static bool mergeable(const struct linux_vma *a, const struct linux_vma *b)
{
    if (a->end != b->start || a->prot != b->prot || a->shared != b->shared ||
        a->inode != b->inode || a->dev != b->dev || !a->path != !b->path)
        return false;
    if (a->path && strcmp(a->path, b->path))
        return false;
    return !a->inode || a->offset + (a->end - a->start) == b->offset;
}

static void merge_around(struct vma_list *l, size_t i)
{
    if (i + 1 < l->len && mergeable(&l->at[i], &l->at[i + 1])) {
        l->at[i].end = l->at[i + 1].end;
        close_slots(l, i + 1, 1);
    }
    if (i && mergeable(&l->at[i - 1], &l->at[i])) {
        l->at[i - 1].end = l->at[i].end;
        close_slots(l, i, 1);
    }
}

void vma_remove(struct vma_list *l, uint64_t start, uint64_t end)
{
    vma_split(l, start);
    vma_split(l, end);
    size_t first = vma_find(l, start), n = 0;
    while (first + n < l->len && l->at[first + n].start < end)
        n++;
    close_slots(l, first, n);
}

void vma_insert(struct vma_list *l, struct linux_vma vma)
{
    size_t i = vma_find(l, vma.start);
    open_slot(l, i);
    l->at[i] = vma;
    merge_around(l, i);
}

void vma_protect(struct vma_list *l, uint64_t start, uint64_t end, uint32_t prot)
{
    vma_split(l, start);
    vma_split(l, end);
    size_t i = vma_find(l, start);
    for (size_t k = i; k < l->len && l->at[k].start < end; k++)
        l->at[k].prot = prot;
    /* From the end backwards: merging closes slots behind the one looked at. */
    size_t last = vma_find(l, end - 1);
    for (size_t k = last + 1; k-- > i;)
        merge_around(l, k);
}

void vma_free(struct vma_list *l)
{
    close_slots(l, 0, l->len);
    free(l->at);
    *l = (struct vma_list){0};
}
