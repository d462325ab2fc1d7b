/* Guest memory as system calls use it. */
#include "os/linux/guest_mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "mem/core.h"
#include "mem/space.h"
#include "os/linux/abi.h"
#include "os/linux/mm.h"

/* Stands in for a span that is not one piece of host memory (possible without the arena only). */
struct linux_bounce {
    struct linux_bounce *next;
    uint64_t gva, size;
    bool write;
    uint8_t bytes[];
};

#define STRING_MAX 131072

static uint32_t need_of(nw_access access)
{
    return access == NW_ACCESS_WRITE ? NW_WRITE : NW_READ;
}

static size_t piece(struct linux_task *t, uint64_t gva, uint64_t size, uint32_t need, void **at)
{
    uint64_t limit = t->process->abi->task_size;
    if (gva >= limit)
        return 0;
    return mem_host_span(t->process->engine, gva, size < limit - gva ? size : limit - gva, need,
                         at);
}

/* How much of the range is accessible, over any number of pieces. */
static uint64_t accessible(struct linux_task *t, uint64_t gva, uint64_t size, uint32_t need)
{
    uint64_t done = 0;
    while (done < size) {
        void *at;
        size_t n = piece(t, gva + done, size - done, need, &at);
        if (!n)
            break;
        done += n;
    }
    return done;
}

static void *bounce(struct linux_task *t, uint64_t gva, uint64_t size, bool write)
{
    struct linux_bounce *b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->gva = gva;
    b->size = size;
    b->write = write;
    if (linux_copy_in(t, b->bytes, gva, size)) {
        if (!write) {
            free(b);
            return NULL;
        }
        memset(b->bytes, 0, size); /* memory that may be written but not read */
    }
    b->next = t->bounces;
    t->bounces = b;
    return b->bytes;
}

void linux_bounces_end(struct linux_task *t)
{
    while (t->bounces) {
        struct linux_bounce *b = t->bounces;
        if (b->write)
            linux_copy_out(t, b->gva, b->bytes, b->size);
        t->bounces = b->next;
        free(b);
    }
}

void *linux_span_some(struct linux_task *t, uint64_t gva, uint64_t *size, nw_access access)
{
    static uint8_t nothing;
    void *at;
    if (!*size)
        return &nothing;
    size_t first = piece(t, gva, *size, need_of(access), &at);
    if (first == *size)
        return at;
    if (!first)
        return NULL;
    uint64_t all = first + accessible(t, gva + first, *size - first, need_of(access));
    *size = all;
    return all == first ? at : bounce(t, gva, all, access == NW_ACCESS_WRITE);
}

void *linux_span(struct linux_task *t, uint64_t gva, uint64_t size, nw_access access)
{
    uint64_t got = size;
    void *at = linux_span_some(t, gva, &got, access);
    return got == size ? at : NULL;
}

/* Whether all of the range may be accessed is known before anything is copied. */
static int64_t copy(struct linux_task *t, uint8_t *host, uint64_t gva, uint64_t size, bool out)
{
    uint32_t need = out ? NW_WRITE : NW_READ;
    void *at;
    if (!size)
        return 0;
    size_t n = piece(t, gva, size, need, &at);
    if (n == size)
        return (out ? guarded_copy(at, host, n) : guarded_copy(host, at, n)) ? 0 : -EFAULT;
    if (!n || accessible(t, gva, size, need) != size)
        return -EFAULT;
    for (uint64_t done = 0; done < size; done += n) {
        n = piece(t, gva + done, size - done, need, &at);
        if (!n || !(out ? guarded_copy(at, host + done, n) : guarded_copy(host + done, at, n)))
            return -EFAULT;
    }
    return 0;
}

int64_t linux_copy_in(struct linux_task *t, void *dst, uint64_t gva, uint64_t size)
{
    return copy(t, dst, gva, size, false);
}

int64_t linux_copy_out(struct linux_task *t, uint64_t gva, const void *src, uint64_t size)
{
    return copy(t, (uint8_t *)src, gva, size, true);
}

int64_t linux_get_u32(struct linux_task *t, uint64_t gva, uint32_t *value)
{
    return linux_copy_in(t, value, gva, sizeof *value);
}

int64_t linux_put_u32(struct linux_task *t, uint64_t gva, uint32_t value)
{
    return linux_copy_out(t, gva, &value, sizeof value);
}

int64_t linux_put_u64(struct linux_task *t, uint64_t gva, uint64_t value)
{
    return linux_copy_out(t, gva, &value, sizeof value);
}

int64_t linux_get_word(struct linux_task *t, uint64_t gva, uint64_t *value)
{
    *value = 0;
    return linux_copy_in(t, value, gva, t->process->abi->word);
}

int64_t linux_put_word(struct linux_task *t, uint64_t gva, uint64_t value)
{
    return linux_copy_out(t, gva, &value, t->process->abi->word);
}

int64_t linux_string_in(struct linux_task *t, char *buf, size_t size, uint64_t gva)
{
    size_t done = 0;
    while (done < size) {
        void *at;
        /* Not beyond the page: what follows the string need not be mapped. */
        size_t want = PAGE_SIZE_ - ((gva + done) & (PAGE_SIZE_ - 1));
        size_t n = piece(t, gva + done, want < size - done ? want : size - done, NW_READ, &at);
        if (!n || !guarded_copy(buf + done, at, n))
            return -EFAULT;
        char *end = memchr(buf + done, 0, n);
        if (end)
            return end - buf;
        done += n;
    }
    return -ENAMETOOLONG;
}

int64_t linux_string_dup(struct linux_task *t, uint64_t gva, char **out)
{
    size_t size = 256;
    char *buf = NULL;
    for (;;) {
        char *bigger = realloc(buf, size);
        if (!bigger) {
            free(buf);
            return -ENOMEM;
        }
        buf = bigger;
        int64_t len = linux_string_in(t, buf, size, gva);
        if (len >= 0) {
            *out = buf;
            return len;
        }
        if (len != -ENAMETOOLONG || size >= STRING_MAX) {
            free(buf);
            return len == -ENAMETOOLONG ? -E2BIG : len;
        }
        size *= 4;
    }
}

int64_t linux_iovec_in(struct linux_task *t, uint64_t gva, uint64_t count, struct iovec *out,
                       nw_access access)
{
    unsigned word = t->process->abi->word;
    uint64_t total = 0;
    if (count > 1024)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t base, len;
        if (linux_get_word(t, gva + i * 2 * word, &base) ||
            linux_get_word(t, gva + (i * 2 + 1) * word, &len))
            return -EFAULT;
        if (word == 4 ? len > INT32_MAX : len > INT64_MAX)
            return -EINVAL;
        if (len > INT32_MAX - 4095 - total)
            len = INT32_MAX - 4095 - total;
        total += len;
        out[i].iov_len = len;
        out[i].iov_base = (void *)(uintptr_t)base;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t want = out[i].iov_len, got = want;
        void *at = linux_span_some(t, (uintptr_t)out[i].iov_base, &got, access);
        if (!at || got < want) {
            /* The kernel transfers what comes before the bad address, if anything does. */
            out[i].iov_base = at;
            out[i].iov_len = at ? got : 0;
            uint64_t before = 0;
            for (uint64_t k = 0; k <= i; k++)
                before += out[k].iov_len;
            return before ? (int64_t)(at ? i + 1 : i) : -EFAULT;
        }
        out[i].iov_base = at;
    }
    return (int64_t)count;
}
