/* The reference: Debian's libunicorn as a library, used in tests only. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

struct machine {
    uc_engine *uc;
    struct machine_state *state; /* of the run in progress */
    uint8_t code[MACHINE_PAGE];
};

static void on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    struct machine *m = user;
    /* QEMU's exception numbers for ARM: 1 undefined, 2 supervisor call, 7 breakpoint. */
    m->state->outcome = number == 2   ? OUT_SVC
                        : number == 7 ? OUT_BKPT
                        : number == 1 ? OUT_UNDEFINED
                                      : OUT_ERROR;
    uc_emu_stop(uc);
}

static bool on_fault(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                     void *user)
{
    struct machine *m = user;
    (void)uc, (void)size, (void)value;
    if (m->state->outcome != OUT_OK)
        return false;
    bool write = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    bool fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;
    m->state->outcome = fetch ? OUT_FAULT_FETCH : write ? OUT_FAULT_WRITE : OUT_FAULT_READ;
    m->state->code_or_addr = (uint32_t)address;
    return false;
}

static int model_of(const char *cpu)
{
    static const struct {
        const char *name;
        int model;
    } models[] = {
        {"arm926", UC_CPU_ARM_926},
        {"cortex-a8", UC_CPU_ARM_CORTEX_A8},
        {"cortex-a15", UC_CPU_ARM_CORTEX_A15},
        {"cortex-m3", UC_CPU_ARM_CORTEX_M3},
        {"cortex-m4", UC_CPU_ARM_CORTEX_M4},
        {"cortex-m7", UC_CPU_ARM_CORTEX_M7},
    };

    for (size_t i = 0; cpu && i < sizeof models / sizeof models[0]; i++) {
        if (!strcmp(cpu, models[i].name))
            return models[i].model;
    }
    return UC_CPU_ARM_MAX;
}

static struct machine *open_machine(const char *cpu)
{
    struct machine *m = calloc(1, sizeof *m);
    uc_hook hook;
    if (!m || uc_open(UC_ARCH_ARM, UC_MODE_ARM, &m->uc) != UC_ERR_OK)
        goto fail;
    if (uc_ctl_set_cpu_model(m->uc, model_of(cpu)) != UC_ERR_OK ||
        uc_mem_map(m->uc, MACHINE_CODE, MACHINE_PAGE, UC_PROT_ALL) != UC_ERR_OK ||
        uc_mem_map(m->uc, MACHINE_DATA, MACHINE_PAGE, UC_PROT_READ | UC_PROT_WRITE) != UC_ERR_OK ||
        uc_hook_add(m->uc, &hook, UC_HOOK_INTR, on_interrupt, m, 1, 0) != UC_ERR_OK ||
        uc_hook_add(m->uc, &hook, UC_HOOK_MEM_INVALID, on_fault, m, 1, 0) != UC_ERR_OK)
        goto fail;
    /* Enable VFP: CPACR full access to cp10 and cp11, FPEXC.EN. */
    uint32_t fpexc = 1u << 30;
    uc_arm_cp_reg cpacr = {.cp = 15, .crn = 1, .opc2 = 2, .val = 0xf << 20};
    uc_reg_write(m->uc, UC_ARM_REG_CP_REG, &cpacr);
    uc_reg_write(m->uc, UC_ARM_REG_FPEXC, &fpexc);
    return m;
fail:
    if (m && m->uc)
        uc_close(m->uc);
    free(m);
    return NULL;
}

static void close_machine(struct machine *m)
{
    uc_close(m->uc);
    free(m);
}

/* TPIDRURW and TPIDRURO: c13, c0, 2 and 3. */
static uc_arm_cp_reg tls_register(unsigned opc2, uint32_t value)
{
    return (uc_arm_cp_reg){.cp = 15, .crn = 13, .opc2 = opc2, .val = value};
}

static void load(struct machine *m, struct machine_state *s)
{
    if (memcmp(m->code, s->code, MACHINE_PAGE)) {
        uc_mem_write(m->uc, MACHINE_CODE, s->code, MACHINE_PAGE);
        uc_ctl_remove_cache(m->uc, MACHINE_CODE, MACHINE_CODE + MACHINE_PAGE);
        memcpy(m->code, s->code, MACHINE_PAGE);
    }
    uc_mem_write(m->uc, MACHINE_DATA, s->data, MACHINE_PAGE);
    uc_reg_write(m->uc, UC_ARM_REG_CPSR, &s->cpsr);
    for (unsigned i = 0; i < 13; i++)
        uc_reg_write(m->uc, UC_ARM_REG_R0 + (int)i, &s->r[i]);
    uc_reg_write(m->uc, UC_ARM_REG_SP, &s->r[13]);
    uc_reg_write(m->uc, UC_ARM_REG_LR, &s->r[14]);
    uint32_t pc = s->r[15] | (s->cpsr >> 5 & 1);
    uc_reg_write(m->uc, UC_ARM_REG_PC, &pc);
    uc_reg_write(m->uc, UC_ARM_REG_CPSR, &s->cpsr); /* the pc write may clear IT */
    uc_reg_write(m->uc, UC_ARM_REG_FPSCR, &s->fpscr);
    uc_arm_cp_reg rw = tls_register(2, s->tpidrurw), ro = tls_register(3, s->tpidruro);
    uc_reg_write(m->uc, UC_ARM_REG_CP_REG, &rw);
    uc_reg_write(m->uc, UC_ARM_REG_CP_REG, &ro);
    for (unsigned i = 0; i < 32; i++)
        uc_reg_write(m->uc, UC_ARM_REG_D0 + (int)i, &s->d[i]);
}

static void store(struct machine *m, struct machine_state *s)
{
    for (unsigned i = 0; i < 13; i++)
        uc_reg_read(m->uc, UC_ARM_REG_R0 + (int)i, &s->r[i]);
    uc_reg_read(m->uc, UC_ARM_REG_SP, &s->r[13]);
    uc_reg_read(m->uc, UC_ARM_REG_LR, &s->r[14]);
    uc_reg_read(m->uc, UC_ARM_REG_PC, &s->r[15]);
    uc_reg_read(m->uc, UC_ARM_REG_CPSR, &s->cpsr);
    s->r[15] &= ~1u;
    uc_reg_read(m->uc, UC_ARM_REG_FPSCR, &s->fpscr);
    uc_arm_cp_reg rw = tls_register(2, 0), ro = tls_register(3, 0);
    uc_reg_read(m->uc, UC_ARM_REG_CP_REG, &rw);
    uc_reg_read(m->uc, UC_ARM_REG_CP_REG, &ro);
    s->tpidrurw = (uint32_t)rw.val;
    s->tpidruro = (uint32_t)ro.val;
    for (unsigned i = 0; i < 32; i++)
        uc_reg_read(m->uc, UC_ARM_REG_D0 + (int)i, &s->d[i]);
    uc_mem_read(m->uc, MACHINE_CODE, s->code, MACHINE_PAGE);
    memcpy(m->code, s->code, MACHINE_PAGE);
    uc_mem_read(m->uc, MACHINE_DATA, s->data, MACHINE_PAGE);
}

static void run(struct machine *m, struct machine_state *s, unsigned steps)
{
    m->state = s;
    s->outcome = OUT_OK;
    s->code_or_addr = 0;
    load(m, s);
    uint64_t begin = s->r[15] | (s->cpsr >> 5 & 1);
    uc_err err = uc_emu_start(m->uc, begin, 0xfffffffe, 0, steps);
    enum machine_outcome seen = s->outcome;
    if (seen == OUT_OK && err == UC_ERR_INSN_INVALID)
        seen = OUT_UNDEFINED;
    else if (seen == OUT_OK && err == UC_ERR_FETCH_UNMAPPED)
        seen = OUT_FAULT_FETCH;
    else if (seen == OUT_OK && err != UC_ERR_OK)
        seen = OUT_ERROR;
    store(m, s);
    s->outcome = seen;
}

const struct machine_kind machine_unicorn = {"unicorn", open_machine, close_machine, run};
