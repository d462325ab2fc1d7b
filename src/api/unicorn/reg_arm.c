/* ARM registers by Unicorn's numbers. */
#include <string.h>
#include <narwhal/arm.h>
#include "base/status.h"
#include "reg.h"

#define NZCV 0xf0000000u
#define Q    0x08000000u
#define GE   0x000f0000u
#define IT   0x0600fc00u
#define ALL  0xffffffffu

/* How a number is reached. */
enum kind { NOTHING, WORD, CPSR_PART, FPSCR_PART, DOUBLE, QUAD, COPROCESSOR, CONSTANT, PC, M };

struct row {
    uint8_t kind;
    uint8_t reg;   /* the native one; of QUAD: the first double */
    uint32_t mask; /* of parts */
};

static const struct row rows[UC_ARM_REG_ENDING] = {
#define ROW(name, kind, reg, mask) [UC_ARM_REG_##name] = {kind, reg, mask},
    // clang-format off
    ROW(R0, WORD, 0, 0) ROW(R1, WORD, 1, 0) ROW(R2, WORD, 2, 0) ROW(R3, WORD, 3, 0)
    ROW(R4, WORD, 4, 0) ROW(R5, WORD, 5, 0) ROW(R6, WORD, 6, 0) ROW(R7, WORD, 7, 0)
    ROW(R8, WORD, 8, 0) ROW(R9, WORD, 9, 0) ROW(R10, WORD, 10, 0) ROW(R11, WORD, 11, 0)
    ROW(R12, WORD, 12, 0) ROW(SP, WORD, 13, 0) ROW(LR, WORD, 14, 0) ROW(PC, PC, 15, 0)
    ROW(MSP, WORD, 13, 0)
    ROW(CPSR, CPSR_PART, 0, ALL) ROW(XPSR, CPSR_PART, 0, NZCV | Q | GE | IT)
    ROW(APSR, CPSR_PART, 0, NZCV | Q | GE) ROW(APSR_NZCV, CPSR_PART, 0, NZCV)
    ROW(APSR_NZCVQ, CPSR_PART, 0, NZCV | Q) ROW(APSR_NZCVQG, CPSR_PART, 0, NZCV | Q | GE)
    ROW(APSR_G, CPSR_PART, 0, GE) ROW(IAPSR, CPSR_PART, 0, NZCV | Q | GE)
    ROW(EAPSR, CPSR_PART, 0, NZCV | Q | GE) ROW(ITSTATE, CPSR_PART, 0, IT)
    ROW(SPSR, WORD, NW_ARM_SPSR, 0)
    ROW(FPSCR, FPSCR_PART, 0, ALL) ROW(FPSCR_NZCV, FPSCR_PART, 0, NZCV)
    ROW(FPEXC, WORD, NW_ARM_FPEXC, 0) ROW(FPSID, CONSTANT, NW_ARM_FPSID, 0)
    ROW(ESR, WORD, NW_ARM_SYNDROME, 0)
    ROW(C1_C0_2, WORD, NW_ARM_CPACR, 0)
    ROW(C13_C0_2, WORD, NW_ARM_TPIDRURW, 0) ROW(C13_C0_3, WORD, NW_ARM_TPIDRURO, 0)
    ROW(CP_REG, COPROCESSOR, 0, 0)
// clang-format on
#undef ROW
};

/* Rows of the banks of doubles, quads and singles follow from their numbers. */
static struct row row_of(nw_vcpu *vcpu, int id)
{
    if (uc_arm_m_has(vcpu, id))
        return (struct row){M, 0, 0};
    if (id >= UC_ARM_REG_D0 && id <= UC_ARM_REG_D31)
        return (struct row){DOUBLE, (uint8_t)(NW_ARM_D0 + id - UC_ARM_REG_D0), 0};
    if (id >= UC_ARM_REG_Q0 && id <= UC_ARM_REG_Q15)
        return (struct row){QUAD, (uint8_t)(NW_ARM_D0 + 2 * (id - UC_ARM_REG_Q0)), 0};
    if (id >= UC_ARM_REG_S0 && id <= UC_ARM_REG_S31)
        return (struct row){WORD, (uint8_t)(NW_ARM_S0 + id - UC_ARM_REG_S0), 0};
    return id > 0 && id < UC_ARM_REG_ENDING ? rows[id] : (struct row){0};
}

static size_t size_of(unsigned kind)
{
    switch (kind) {
    case NOTHING: return 0;
    case DOUBLE: return 8;
    case QUAD: return 16;
    case COPROCESSOR: return sizeof(uc_arm_cp_reg);
    default: return 4;
    }
}

/* What is no register gives and takes no value. */
static uc_err cp_read(nw_vcpu *vcpu, uc_arm_cp_reg *r)
{
    nw_arm_cp cp = {r->cp, r->is64 != 0, r->opc1, r->crn, r->crm, r->opc2, r->sec != 0};

    nw_arm_cp_read(vcpu, &cp, &r->val);
    return UC_ERR_OK;
}

static uc_err cp_write(nw_vcpu *vcpu, const uc_arm_cp_reg *r)
{
    nw_arm_cp cp = {r->cp, r->is64 != 0, r->opc1, r->crn, r->crm, r->opc2, r->sec != 0};

    nw_arm_cp_write(vcpu, &cp, r->val);
    return UC_ERR_OK;
}

static NW_RARE uc_err read_any(nw_vcpu *vcpu, int id, void *value, size_t *size)
{
    struct row r = row_of(vcpu, id);
    size_t used = size_of(r.kind);
    uint64_t v[2] = {0};

    if (*size < used)
        return UC_ERR_OVERFLOW;
    *size = used;
    switch (r.kind) {
    case NOTHING: return UC_ERR_OK;
    case COPROCESSOR: return cp_read(vcpu, value);
    case M: v[0] = uc_arm_m_read(vcpu, id); break;
    case CPSR_PART: nw_reg_read(vcpu, NW_ARM_CPSR, v); break;
    case FPSCR_PART: nw_reg_read(vcpu, NW_ARM_FPSCR, v); break;
    default: nw_reg_read(vcpu, r.reg, v); break;
    }
    if (r.kind == QUAD)
        nw_reg_read(vcpu, r.reg + 1u, &v[1]);
    if (r.mask)
        v[0] &= r.mask;
    memcpy(value, v, used);
    return UC_ERR_OK;
}

static void write_part(nw_vcpu *vcpu, unsigned reg, uint32_t mask, uint32_t value)
{
    uint64_t old = 0;

    nw_reg_read(vcpu, reg, &old);
    nw_reg_write(vcpu, reg, ((uint32_t)old & ~mask) | (value & mask));
}

static NW_RARE uc_err write_any(nw_vcpu *vcpu, int id, const void *value, size_t *size)
{
    struct row r = row_of(vcpu, id);
    size_t used = size_of(r.kind);
    uint64_t v[2] = {0};

    if (*size < used)
        return UC_ERR_OVERFLOW;
    *size = used;
    if (r.kind == COPROCESSOR)
        return cp_write(vcpu, value);
    memcpy(v, value, used);
    switch (r.kind) {
    case NOTHING:
    case CONSTANT: break;
    case M: uc_arm_m_write(vcpu, id, (uint32_t)v[0]); break;
    case PC: nw_reg_write(vcpu, NW_ARM_BX, v[0]); break; /* bit 0 selects Thumb, as in a branch */
    case CPSR_PART: write_part(vcpu, NW_ARM_CPSR, r.mask, (uint32_t)v[0]); break;
    case FPSCR_PART: write_part(vcpu, NW_ARM_FPSCR, r.mask, (uint32_t)v[0]); break;
    default: nw_reg_write(vcpu, r.reg, v[0]); break;
    }
    if (r.kind == QUAD)
        nw_reg_write(vcpu, r.reg + 1u, v[1]);
    return UC_ERR_OK;
}

/* Most programs ask for these most of the time. */
static bool general(int id)
{
    return (unsigned)(id - UC_ARM_REG_R0) <= 12;
}

uc_err uc_arm_reg_read(nw_vcpu *vcpu, uc_mode mode, int id, void *value, size_t *size)
{
    uint64_t v = 0;
    uint32_t word;

    (void)mode;
    if (!general(id) || *size < sizeof word)
        return read_any(vcpu, id, value, size);
    nw_reg_read(vcpu, (unsigned)(id - UC_ARM_REG_R0), &v);
    word = (uint32_t)v;
    memcpy(value, &word, sizeof word);
    *size = sizeof word;
    return UC_ERR_OK;
}

uc_err uc_arm_reg_write(nw_vcpu *vcpu, uc_mode mode, int id, const void *value, size_t *size)
{
    uint32_t word;

    (void)mode;
    if (!general(id) || *size < sizeof word)
        return write_any(vcpu, id, value, size);
    memcpy(&word, value, sizeof word);
    nw_reg_write(vcpu, (unsigned)(id - UC_ARM_REG_R0), word);
    *size = sizeof word;
    return UC_ERR_OK;
}
