/* Any sequence of public calls with odd arguments: a status each, never more. Host pointers given
 * are real ones, as the contract says. */
#include "fuzz.h"

#include <narwhal/arm.h>
#include <narwhal/log.h>
#include "mem/space.h"

#define VCPUS 3
#define PTR   (16 * 4096)

struct world {
    struct input *in;
    nw_engine *engine;
    nw_vcpu *vcpu[VCPUS];
    uint8_t *ptr;
};

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
    FUZZ_CHECK(size <= 8 && !(size & (size - 1)), "size %u", size);
    (void)opaque;
    return offset * 0x01010101;
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    FUZZ_CHECK(size <= 8 && !(size & (size - 1)), "size %u", size);
    (void)opaque, (void)offset, (void)value;
}

static void log_text(void *opaque, enum nw_log_kind kind, const char *text, size_t size)
{
    (void)opaque, (void)kind;
    FUZZ_CHECK(text || !size, "text");
}

/* Mostly page numbers that meet each other, at both ends of the address space too. */
static uint64_t address(struct world *w)
{
    uint8_t how = take8(w->in);
    uint64_t page = how & 31;

    switch (how >> 5) {
    case 0:
    case 1:
    case 2:
    case 3: return page << 12;
    case 4: return 0xffff0000u + ((page & 15) << 12);
    case 5: return (page << 12) + take16(w->in);
    case 6: return take32(w->in);
    default: return UINT64_MAX - ((uint64_t)take16(w->in) << 4);
    }
}

static uint64_t length(struct world *w)
{
    uint8_t how = take8(w->in);

    switch (how >> 5) {
    case 5: return take32(w->in);
    case 6: return UINT64_MAX - take16(w->in);
    case 7: return (uint64_t)(how & 31) << 28;
    default: return (uint64_t)(how & 31) << 12;
    }
}

static size_t small(struct world *w)
{
    return take16(w->in) % PTR;
}

static void open_engine(struct world *w)
{
    static struct nw_log log = {.kinds = 0x3f, .text = log_text};
    uint8_t choice = take8(w->in), more = take8(w->in);
    char cpu[8];
    nw_config config = {.arch = more & 1 && more & 2 ? (nw_arch)take8(w->in) : NW_ARCH_ARM,
                        .flags = choice & 7,
                        .exceptions = choice >> 3 & 1,
                        .code_buffer = choice & 16   ? 65536u
                                       : choice & 32 ? take32(w->in)
                                                     : 1u << 20,
                        .log = choice & 64 ? &log : NULL};

    if (choice & 128) {
        take(w->in, cpu, sizeof cpu);
        cpu[7] = 0;
        config.cpu = cpu;
    }
    nw_status status = nw_engine_open(&config, &w->engine);
    FUZZ_CHECK((status == NW_OK) == (w->engine != NULL), "status %d", status);
}

static void run(struct world *w, nw_vcpu *v)
{
    uint8_t how = take8(w->in);
    nw_exit exit;

    /* Without a limit only when asked to stop. */
    if (how & 1)
        nw_vcpu_stop(v);
    if (nw_vcpu_run(v, how & 1 ? 0 : 1 + how, &exit) == NW_OK && v)
        FUZZ_CHECK(exit.reason >= NW_EXIT_STOP && exit.reason <= NW_EXIT_HALT, "%d %s", exit.reason,
                   nw_status_text(exit.status));
}

static void memory_call(struct world *w, uint8_t op)
{
    uint64_t gpa = address(w), size = length(w), other;
    uint32_t perms = take8(w->in);
    void *hva = NULL;

    perms = perms & 128 ? perms : perms & 7;
    switch (op % 10) {
    case 0: nw_mem_map(w->engine, gpa, size, perms); break;
    case 1:
        if (size <= PTR)
            nw_mem_map_ptr(w->engine, gpa, size, perms, w->ptr);
        break;
    case 2: nw_mem_map_mmio(w->engine, gpa, size, mmio_read, mmio_write, w); break;
    case 3: nw_mem_unmap(w->engine, gpa, size); break;
    case 4: nw_mem_protect(w->engine, gpa, size, perms); break;
    case 5: nw_mem_read(w->engine, gpa, w->ptr, small(w)); break;
    case 6: {
        /* Not from the memory that may be mapped. */
        uint8_t bytes[64];
        take(w->in, bytes, sizeof bytes);
        nw_mem_write(w->engine, gpa, bytes, small(w) % sizeof bytes);
        break;
    }
    case 7:
        other = address(w);
        mem_move(w->engine, gpa, size, other, length(w));
        break;
    case 8: mem_map_fd(w->engine, gpa, size, perms, -1, 0, perms & 1, true); break;
    default:
        if (w->engine && (size = mem_host_span(w->engine, gpa, small(w) + 1, perms & 3, &hva))) {
            FUZZ_CHECK(hva && size <= PTR, "span %lu", (long)size);
            if (perms & 2 && hva != w->ptr)
                memset(hva, 0xe1, size);
        }
        if (w->engine && !(size & 4095) && size)
            mem_find_free(w->engine, size, gpa, UINT32_MAX, 4096, &other);
    }
}

static void call(struct world *w, uint8_t op)
{
    nw_vcpu **v = &w->vcpu[op % VCPUS];
    uint64_t value;
    nw_stats stats;

    switch (take8(w->in) % 12) {
    case 0:
        nw_vcpu_destroy(*v);
        *v = NULL;
        break;
    case 1:
    case 2:
        if (!*v)
            nw_vcpu_create(w->engine, v);
        break;
    case 3: nw_vcpu_stop(*v); break;
    case 4: nw_vcpu_set_irq(*v, take8(w->in) % 40, op & 1); break;
    case 5: nw_reg_read(*v, take8(w->in), &value); break;
    case 6: nw_reg_write(*v, take8(w->in) % 100, take32(w->in)); break;
    case 7: nw_reg_write(*v, NW_ARM_PC, address(w)); break;
    case 8: nw_engine_stats(w->engine, &stats); break;
    default: run(w, *v); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *ptr;
    struct input in = {data, size};
    struct world w = {.in = &in};

    if (!ptr && !(ptr = aligned_alloc(4096, PTR)))
        return 0;
    memset(ptr, 0, PTR);
    w.ptr = ptr;
    open_engine(&w);
    while (in.left) {
        uint8_t op = take8(&in);

        if (op & 128)
            call(&w, op & 127);
        else
            memory_call(&w, op);
    }
    nw_engine_close(w.engine);
    return 0;
}
