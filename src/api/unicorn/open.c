/* Opening, closing and asking engines. */
#include <stdlib.h>
#include "uc.h"

/* Tells programs, by its presence, which library this is. */
UNICORN_EXPORT extern const char nw_uc_version[];
const char nw_uc_version[] = "narwhal";

unsigned int uc_version(unsigned int *major, unsigned int *minor)
{
    if (major)
        *major = UC_API_MAJOR;
    if (minor)
        *minor = UC_API_MINOR;
    return (unsigned)UC_API_MAJOR << 24 | UC_API_MINOR << 16 | UC_API_PATCH << 8 | UC_API_EXTRA;
}

bool uc_arch_supported(uc_arch arch)
{
    return uc_guest_of(arch) != NULL;
}

uc_err uc_from_status(nw_status status)
{
    switch (status) {
    case NW_OK: return UC_ERR_OK;
    case NW_ERR_NOMEM:
    case NW_ERR_HOST: return UC_ERR_NOMEM;
    case NW_ERR_ARG:
    case NW_ERR_RANGE:
    case NW_ERR_CPU: return UC_ERR_ARG;
    case NW_ERR_OVERLAP: return UC_ERR_MAP;
    case NW_ERR_UNMAPPED: return UC_ERR_NOMEM;
    case NW_ERR_ARCH: return UC_ERR_ARCH;
    case NW_ERR_FAULT: return UC_ERR_EXCEPTION;
    case NW_ERR_BUSY:
    case NW_ERR_INTERNAL: break;
    }
    return UC_ERR_RESOURCE;
}

static bool mode_ok(const struct uc_guest *guest, uint32_t mode)
{
    uint32_t one = mode & guest->one_of;

    return !(mode & ~guest->modes) && (!guest->one_of || (one && !(one & (one - 1))));
}

uc_err uc_open(uc_arch arch, uc_mode mode, uc_engine **result)
{
    const struct uc_guest *guest = uc_guest_of(arch);
    struct uc_struct *uc;

    if (!result)
        return UC_ERR_ARG;
    *result = NULL;
    if (!guest)
        return UC_ERR_ARCH;
    if (!mode_ok(guest, (uint32_t)mode))
        return UC_ERR_MODE;
    uc = calloc(1, sizeof *uc);
    if (!uc)
        return UC_ERR_NOMEM;
    uc->core = calloc(1, sizeof *uc->core);
    if (!uc->core) {
        free(uc);
        return UC_ERR_NOMEM;
    }
    uc->core->handles = 1;
    uc->core->first_handle = uc;
    uc->arch = arch;
    uc->mode = mode;
    uc->cpu_model = guest->model(mode, -1);
    uc->page_size = guest->page_size;
    uc->context_mode = UC_CTL_CONTEXT_CPU;
    *result = uc;
    return UC_ERR_OK;
}

static uc_err make_engine(uc_engine *uc)
{
    const struct uc_guest *guest = uc_guest_of(uc->arch);
    nw_config config = {.arch = guest->native(uc->mode),
                        .cpu = guest->cpu_name(uc->cpu_model),
                        .exceptions = NW_EXC_BARE,
                        .code_buffer = uc->buffer_size,
                        .page_size = uc->page_size};

    return uc_from_status(nw_engine_open(&config, &uc->core->engine));
}

uc_err uc_make(uc_engine *uc)
{
    uc_err error = UC_ERR_OK;

    if (!uc->core->engine)
        error = make_engine(uc);
    if (error == UC_ERR_OK)
        error = uc_from_status(nw_vcpu_create(uc->core->engine, &uc->vcpu));
    if (error != UC_ERR_OK)
        return error;
    nw_vcpu_set_user(uc->vcpu, uc);
    return uc_from_status(uc_guest_of(uc->arch)->setup(uc));
}

uc_err uc_open_shared(uc_engine *first, uc_engine **out)
{
    uc_err error = first->depth ? UC_ERR_RESOURCE : uc_need(first);
    struct uc_core *core = first->core;
    struct uc_struct *uc;

    *out = NULL;
    if (error != UC_ERR_OK)
        return error;
    uc = calloc(1, sizeof *uc);
    if (!uc)
        return UC_ERR_NOMEM;
    uc->core = core;
    uc->arch = first->arch;
    uc->mode = first->mode;
    uc->cpu_model = first->cpu_model;
    uc->page_size = first->page_size;
    uc->buffer_size = first->buffer_size;
    uc->context_mode = UC_CTL_CONTEXT_CPU;
    error = uc_need(uc);
    if (error == UC_ERR_OK)
        error = uc_hooks_share(core);
    if (error != UC_ERR_OK) {
        nw_vcpu_destroy(uc->vcpu);
        free(uc);
        return error;
    }
    uc->next_handle = core->first_handle;
    core->first_handle = uc;
    core->handles++;
    *out = uc;
    return UC_ERR_OK;
}

/* Others remain on it. */
static void leave_core(uc_engine *uc)
{
    struct uc_core *core = uc->core;
    uc_engine **at = &core->first_handle;

    while (*at != uc)
        at = &(*at)->next_handle;
    *at = uc->next_handle;
    uc_hooks_inherit(core, uc, core->first_handle);
    uc_memory_inherit(core, uc, core->first_handle);
    nw_vcpu_destroy(uc->vcpu);
}

uc_err uc_close(uc_engine *uc)
{
    if (!uc)
        return UC_ERR_HANDLE;
    /* A callback of this engine is on the stack. */
    if (uc->depth)
        return UC_ERR_RESOURCE;
    if (--uc->core->handles == 0) {
        nw_engine_close(uc->core->engine);
        uc_hooks_free(uc->core);
        uc_snapshots_free(uc->core);
        uc_memory_free(uc->core);
        free(uc->core);
    } else {
        leave_core(uc);
    }
    free(uc->exits);
    free(uc);
    return UC_ERR_OK;
}

uc_err uc_query(uc_engine *uc, uc_query_type type, size_t *result)
{
    uc_err error;

    if (!uc)
        return UC_ERR_HANDLE;
    /* What is answered cannot be chosen any more. */
    error = uc_need(uc);
    if (error != UC_ERR_OK)
        return error;
    if (!result)
        return UC_ERR_ARG;
    switch (type) {
    case UC_QUERY_MODE: *result = (size_t)uc_guest_of(uc->arch)->mode_now(uc); break;
    case UC_QUERY_PAGE_SIZE: *result = uc->page_size; break;
    case UC_QUERY_ARCH: *result = uc->arch; break;
    case UC_QUERY_TIMEOUT: *result = uc->timed_out; break;
    default: return UC_ERR_ARG;
    }
    return UC_ERR_OK;
}

uc_err uc_errno(uc_engine *uc)
{
    /* Unicorn keeps none: each call says itself how it went. */
    return uc ? UC_ERR_OK : UC_ERR_HANDLE;
}

const char *uc_strerror(uc_err code)
{
    static const char *const texts[] = {
        [UC_ERR_OK] = "no error (UC_ERR_OK)",
        [UC_ERR_NOMEM] = "no memory left, or none mapped there (UC_ERR_NOMEM)",
        [UC_ERR_ARCH] = "this architecture is not supported (UC_ERR_ARCH)",
        [UC_ERR_HANDLE] = "the handle is null (UC_ERR_HANDLE)",
        [UC_ERR_MODE] = "the architecture has no such mode (UC_ERR_MODE)",
        [UC_ERR_VERSION] = "library and binding are of different versions (UC_ERR_VERSION)",
        [UC_ERR_READ_UNMAPPED] = "read from unmapped memory (UC_ERR_READ_UNMAPPED)",
        [UC_ERR_WRITE_UNMAPPED] = "write to unmapped memory (UC_ERR_WRITE_UNMAPPED)",
        [UC_ERR_FETCH_UNMAPPED] = "fetch from unmapped memory (UC_ERR_FETCH_UNMAPPED)",
        [UC_ERR_HOOK] = "no such kind of hook (UC_ERR_HOOK)",
        [UC_ERR_INSN_INVALID] = "undefined instruction (UC_ERR_INSN_INVALID)",
        [UC_ERR_MAP] =
            "memory is mapped there already, or a hook has not mapped what it said (UC_ERR_MAP)",
        [UC_ERR_WRITE_PROT] = "write to memory that cannot be written (UC_ERR_WRITE_PROT)",
        [UC_ERR_READ_PROT] = "read from memory that cannot be read (UC_ERR_READ_PROT)",
        [UC_ERR_FETCH_PROT] = "fetch from memory that cannot be executed (UC_ERR_FETCH_PROT)",
        [UC_ERR_ARG] = "an argument is wrong (UC_ERR_ARG)",
        [UC_ERR_READ_UNALIGNED] = "unaligned read (UC_ERR_READ_UNALIGNED)",
        [UC_ERR_WRITE_UNALIGNED] = "unaligned write (UC_ERR_WRITE_UNALIGNED)",
        [UC_ERR_FETCH_UNALIGNED] = "unaligned fetch (UC_ERR_FETCH_UNALIGNED)",
        [UC_ERR_RESOURCE] = "too many runs within runs, or the engine is busy (UC_ERR_RESOURCE)",
        [UC_ERR_EXCEPTION] = "an exception that no hook handles (UC_ERR_EXCEPTION)",
        [UC_ERR_OVERFLOW] = "the buffer is smaller than the value (UC_ERR_OVERFLOW)",
    };

    if ((unsigned)code >= sizeof texts / sizeof texts[0] || !texts[code])
        return "Unknown error code";
    return texts[code];
}
