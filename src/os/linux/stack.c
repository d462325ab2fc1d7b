/* The initial stack: strings, auxiliary vector, environment, arguments. */
#include "os/linux/program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include "os/linux/mm.h"

#define DEFAULT_STACK (8ull << 20)
#define STACK_ALIGN   16ull
#define RANDOM_BYTES  16
#define AUX_MAX       24

/* The top of the stack under construction, filled downwards. */
struct builder {
    uint8_t *bytes;
    uint64_t low, at; /* guest addresses: of bytes[0], of what was put last */
    uint8_t word;
    bool full;
    uint64_t aux[AUX_MAX][2];
    unsigned naux;
};

static uint64_t put(struct builder *b, const void *from, size_t size)
{
    if (size > b->at - b->low) {
        b->full = true;
        return b->at;
    }
    b->at -= size;
    memcpy(b->bytes + (b->at - b->low), from, size);
    return b->at;
}

static uint64_t put_string(struct builder *b, const char *text)
{
    return put(b, text, strlen(text) + 1);
}

static void put_word(struct builder *b, uint64_t value)
{
    put(b, &value, b->word);
}

static void aux(struct builder *b, uint64_t type, uint64_t value)
{
    b->aux[b->naux][0] = type;
    b->aux[b->naux++][1] = value;
}

static size_t count(char *const *list)
{
    size_t n = 0;
    while (list[n])
        n++;
    return n;
}

/* Puts the strings in order of address and records where they are. */
static uint64_t *put_strings(struct builder *b, char *const *list, size_t n)
{
    uint64_t *at = calloc(n + 1, sizeof *at);
    for (size_t i = n; at && i-- > 0;)
        at[i] = put_string(b, list[i]);
    if (!at)
        b->full = true;
    return at;
}

static void put_list(struct builder *b, const uint64_t *at, size_t n)
{
    put_word(b, 0);
    for (size_t i = n; i-- > 0;)
        put_word(b, at[i]);
}

/* Deterministic when a seed was given: splitmix64. */
static void random_bytes(uint64_t seed, uint8_t out[RANDOM_BYTES])
{
    if (!seed && getrandom(out, RANDOM_BYTES, 0) == RANDOM_BYTES)
        return;
    for (unsigned i = 0; i < RANDOM_BYTES; i += 8) {
        uint64_t z = seed += 0x9e3779b97f4a7c15ull;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ z >> 27) * 0x94d049bb133111ebull;
        z ^= z >> 31;
        memcpy(out + i, &z, 8);
    }
}

static void fill_aux(struct linux_task *t, struct builder *b, const struct linux_stack_request *r,
                     uint64_t execfn)
{
    const struct linux_abi *abi = t->process->abi;
    struct linux_auxv_cpu cpu = abi->auxv_cpu(t);
    uint8_t random[RANDOM_BYTES];
    random_bytes(t->process->options->seed, random);
    uint64_t platform = put_string(b, cpu.platform);
    uint64_t random_at = put(b, random, sizeof random);
    aux(b, AT_HWCAP, cpu.hwcap);
    aux(b, AT_PAGESZ, 4096);
    aux(b, AT_CLKTCK, (uint64_t)sysconf(_SC_CLK_TCK));
    aux(b, AT_PHDR, r->program.phdrs);
    aux(b, AT_PHENT, r->image->phentsize);
    aux(b, AT_PHNUM, r->image->phnum);
    aux(b, AT_BASE, r->interp_base);
    aux(b, AT_FLAGS, 0);
    aux(b, AT_ENTRY, r->program.entry);
    aux(b, AT_UID, getuid());
    aux(b, AT_EUID, geteuid());
    aux(b, AT_GID, getgid());
    aux(b, AT_EGID, getegid());
    aux(b, AT_SECURE, 0);
    aux(b, AT_RANDOM, random_at);
    aux(b, AT_HWCAP2, cpu.hwcap2);
    if (cpu.min_stack)
        aux(b, AT_MINSIGSTKSZ, cpu.min_stack);
    aux(b, AT_EXECFN, execfn);
    aux(b, AT_PLATFORM, platform);
    aux(b, AT_NULL, 0);
}

static void put_aux(struct linux_process *p, struct builder *b)
{
    for (unsigned i = b->naux; i-- > 0;) {
        put_word(b, b->aux[i][1]);
        put_word(b, b->aux[i][0]);
    }
    p->auxv = b->at;
    p->auxv_size = (uint64_t)b->naux * 2 * b->word;
}

static void fill(struct linux_task *t, struct builder *b, const struct linux_stack_request *r)
{
    struct linux_process *p = t->process;
    size_t argc = count(r->argv), envc = count(r->envp);
    put_word(b, 0);
    uint64_t execfn = put_string(b, r->execfn);
    p->env_end = b->at;
    uint64_t *env_at = put_strings(b, r->envp, envc);
    p->env_start = p->arg_end = b->at;
    uint64_t *arg_at = put_strings(b, r->argv, argc);
    p->arg_start = b->at;
    fill_aux(t, b, r, execfn);
    b->at &= ~(STACK_ALIGN - 1);
    /* The argument count must end up aligned. */
    if ((2 * b->naux + envc + 1 + argc + 1 + 1) * b->word & (STACK_ALIGN - 1))
        b->at -= STACK_ALIGN - ((2 * b->naux + envc + argc + 3) * b->word & (STACK_ALIGN - 1));
    put_aux(p, b);
    if (env_at && arg_at) {
        put_list(b, env_at, envc);
        put_list(b, arg_at, argc);
        put_word(b, argc);
    }
    free(env_at);
    free(arg_at);
}

int linux_stack_build(struct linux_task *t, const struct linux_stack_request *r, uint64_t *sp,
                      char *why)
{
    struct linux_process *p = t->process;
    uint64_t size = p->options->stack_size ? p->options->stack_size : DEFAULT_STACK;
    size = (size + 4095) & ~4095ull;
    p->stack_low = p->stack_top - size;
    struct linux_map_request map = {.addr = p->stack_low,
                                    .size = size,
                                    .fd = -1,
                                    .fixed = true,
                                    .prot =
                                        PROT_READ | PROT_WRITE | (r->executable ? PROT_EXEC : 0),
                                    .name = "[stack]"};
    struct builder b = {.word = p->abi->word};
    uint64_t room = size / 4 * 3; /* at least a quarter is left to the program */
    b.low = p->stack_top - room;
    b.at = p->stack_top;
    b.bytes = calloc(1, room);
    if (!b.bytes || linux_mm_map(p, &map) < 0) {
        free(b.bytes);
        snprintf(why, LINUX_ERROR_SIZE, "there is no memory for the stack");
        return -1;
    }
    fill(t, &b, r);
    *sp = b.at;
    bool fits = !b.full;
    if (fits)
        fits =
            nw_mem_write(p->engine, b.at, b.bytes + (b.at - b.low), p->stack_top - b.at) == NW_OK;
    free(b.bytes);
    if (!fits)
        snprintf(why, LINUX_ERROR_SIZE, "the arguments do not fit on the stack (--stack SIZE)");
    return fits ? 0 : -1;
}
