#include "uc_test.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>

/* UCT_FILTER=name runs the tests whose name matches (with * and ?). */
__attribute__((constructor)) static void set_filter(void)
{
    const char *filter = getenv("UCT_FILTER");

    if (filter)
        cmocka_set_test_filter(filter);
}

bool uct_ours(void)
{
    return dlsym(RTLD_DEFAULT, "nw_uc_version") != NULL;
}

bool uct_at_least(unsigned major, unsigned minor)
{
    return uc_version(NULL, NULL) >> 16 >= (major << 8 | minor);
}

void *uct_function(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

bool uct_differs(const char *id)
{
    if (uct_ours())
        return true;
    printf("differs: %s\n", id);
    return false;
}

uc_engine *uct_open(uc_arch arch, int mode)
{
    uc_engine *uc = NULL;

    ok(uc_open(arch, (uc_mode)mode, &uc));
    return uc;
}

/* MODEL: of the CPU, -1: the first. */
static void open_engine(struct uct *t, uc_arch arch, int mode, int model, const uint8_t *code,
                        size_t n)
{
    memset(t, 0, sizeof *t);
    t->arch = arch;
    t->mode = mode;
    t->limit = 400;
    t->begin = CODE;
    t->end = CODE + n;
    t->uc = uct_open(arch, mode);
    if (model >= 0)
        ok(uc_ctl_set_cpu_model(t->uc, model));
    ok(uc_mem_map(t->uc, CODE, 0x10000, UC_PROT_ALL));
    if (n)
        ok(uc_mem_write(t->uc, CODE, code, n));
}

void uct_x86(struct uct *t, int bits, const uint8_t *code, size_t n)
{
    open_engine(t, UC_ARCH_X86,
                bits == 16   ? UC_MODE_16
                : bits == 32 ? UC_MODE_32
                             : UC_MODE_64,
                -1, code, n);
    uct_set(t, bits == 64 ? UC_X86_REG_RSP : UC_X86_REG_ESP, STACK);
}

void uct_arm(struct uct *t, int mode, const uint8_t *code, size_t n)
{
    open_engine(t, UC_ARCH_ARM, mode, -1, code, n);
    t->begin |= (mode & UC_MODE_THUMB) != 0;
    uct_set(t, UC_ARM_REG_SP, STACK);
}

void uct_arm_m(struct uct *t, int model, const uint8_t *code, size_t n)
{
    int mode = model == UC_CPU_ARM_CORTEX_M33 ? UC_MODE_MCLASS : 0;

    open_engine(t, UC_ARCH_ARM, UC_MODE_THUMB | mode, model, code, n);
    t->begin |= 1;
    t->limit = 1;
    uct_set(t, UC_ARM_REG_SP, STACK);
    uct_set(t, UC_ARM_REG_PSP, UCT_PSP);
}

void uct_code(struct uct *t, uint64_t at, const uint8_t *code, size_t n)
{
    ok(uc_mem_write(t->uc, at, code, n));
    t->end = at + n;
}

void uct_close(struct uct *t)
{
    ok(uc_close(t->uc));
}

uc_context *uct_saved(struct uct *t)
{
    uc_context *c = NULL;

    ok(uc_context_alloc(t->uc, &c));
    assert_non_null(c);
    ok(uc_context_save(t->uc, c));
    return c;
}

uc_err uct_run(struct uct *t)
{
    return uc_emu_start(t->uc, t->begin, t->end, 0, 0);
}

uint64_t uct_get(struct uct *t, int reg)
{
    uint64_t v[8] = {0};

    ok(uc_reg_read(t->uc, reg, v));
    return v[0];
}

void uct_set(struct uct *t, int reg, uint64_t v)
{
    uint64_t buffer[8] = {v};

    ok(uc_reg_write(t->uc, reg, buffer));
}

uint64_t uct_pc(struct uct *t)
{
    if (t->arch == UC_ARCH_ARM)
        return uct_get(t, UC_ARM_REG_PC);
    return uct_get(t, t->mode == UC_MODE_64 ? UC_X86_REG_RIP : UC_X86_REG_EIP);
}

uint64_t uct_mem(struct uct *t, uint64_t at, unsigned size)
{
    uint64_t v = 0;

    ok(uc_mem_read(t->uc, at, &v, size));
    return v;
}

void uct_poke(struct uct *t, uint64_t at, uint64_t v, unsigned size)
{
    ok(uc_mem_write(t->uc, at, &v, size));
}

void uct_forget(struct uct *t)
{
    t->log[0] = 0;
    t->used = 0;
    t->events = 0;
}

void uct_add(struct uct *t, const char *fmt, ...)
{
    va_list args;

    if (t->used + 64 < sizeof t->log) {
        if (t->used)
            t->log[t->used++] = ' ';
        va_start(args, fmt);
        t->used += (size_t)vsnprintf(t->log + t->used, sizeof t->log - t->used, fmt, args);
        va_end(args);
    }
    if (t->with_pc && t->used + 64 < sizeof t->log)
        t->used +=
            (size_t)snprintf(t->log + t->used, sizeof t->log - t->used, "@%" PRIx64, uct_pc(t));
    if (++t->events >= t->limit)
        uc_emu_stop(t->uc);
}

static void log_place(struct uct *t, char kind, uint64_t address, uint32_t size)
{
    uint64_t pc = uct_pc(t);

    /* The size of what is no instruction is anything. */
    size = size > 0x10000 ? 0 : size;
    if (pc != address && !t->with_pc)
        uct_add(t, "%c%" PRIx64 ":%u@%" PRIx64, kind, address, size, pc);
    else
        uct_add(t, "%c%" PRIx64 ":%u", kind, address, size);
}

static void log_code(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc;
    log_place(user, 'c', address, size);
}

static void log_block(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc;
    log_place(user, 'b', address, size);
}

static void log_memory(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                       void *user)
{
    (void)uc;
    if (type == UC_MEM_READ)
        uct_add(user, "r%" PRIx64 ":%d", address, size);
    else
        uct_add(user, "%c%" PRIx64 ":%d=%" PRIx64, type == UC_MEM_WRITE ? 'w' : 'a', address, size,
                (uint64_t)value);
}

static void log_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    (void)uc;
    uct_add(user, "i%x", number);
}

static bool log_undefined(uc_engine *uc, void *user)
{
    (void)uc;
    uct_add(user, "u");
    return true;
}

static bool log_undefined_stop(uc_engine *uc, void *user)
{
    (void)uc;
    uct_add(user, "u");
    return false;
}

static void add_fault(struct uct *t, uc_mem_type type, uint64_t address, int size, int64_t value)
{
    static const char *const names[] = {"ru", "wu", "fu", "wp", "rp", "fp"};
    const char *name = names[type - UC_MEM_READ_UNMAPPED];

    if (name[0] == 'w')
        uct_add(t, "%s%" PRIx64 ":%d=%" PRIx64, name, address, size, (uint64_t)value);
    else
        uct_add(t, "%s%" PRIx64 ":%d", name, address, size);
}

static bool log_fault(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                      void *user)
{
    (void)uc;
    add_fault(user, type, address, size, value);
    return true;
}

static bool log_fault_stop(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                           int64_t value, void *user)
{
    (void)uc;
    add_fault(user, type, address, size, value);
    return false;
}

void uct_log(struct uct *t, const char *kinds)
{
    static const struct {
        char kind;
        int type;
        void *callback;
    } all[] = {
        {'c', UC_HOOK_CODE, (void *)log_code},
        {'b', UC_HOOK_BLOCK, (void *)log_block},
        {'r', UC_HOOK_MEM_READ, (void *)log_memory},
        {'w', UC_HOOK_MEM_WRITE, (void *)log_memory},
        {'a', UC_HOOK_MEM_READ_AFTER, (void *)log_memory},
        {'i', UC_HOOK_INTR, (void *)log_interrupt},
        {'u', UC_HOOK_INSN_INVALID, (void *)log_undefined},
        {'U', UC_HOOK_INSN_INVALID, (void *)log_undefined_stop},
        {'f', UC_HOOK_MEM_INVALID, (void *)log_fault},
        {'F', UC_HOOK_MEM_INVALID, (void *)log_fault_stop},
    };

    for (; *kinds; kinds++) {
        if (*kinds == 'p')
            t->with_pc = true;
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            if (all[i].kind == *kinds)
                uct_hook(t, all[i].type, all[i].callback);
    }
}

uc_hook uct_hook_in(struct uct *t, int type, void *callback, uint64_t begin, uint64_t end)
{
    uc_hook h = 0;

    ok(uc_hook_add(t->uc, &h, type, callback, t, begin, end));
    return h;
}

uc_hook uct_hook(struct uct *t, int type, void *callback)
{
    return uct_hook_in(t, type, callback, 1, 0);
}

uc_hook uct_hook_insn(struct uct *t, int insn, void *callback)
{
    uc_hook h = 0;

    ok(uc_hook_add(t->uc, &h, UC_HOOK_INSN, callback, t, 1, 0, insn));
    return h;
}

bool uct_unmet(const char *what)
{
    if (!uct_ours() || getenv("UCT_UNMET"))
        return false;
    print_message("unmet: %s\n", what);
    return true;
}
