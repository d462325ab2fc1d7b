/* The verifier: form, types, dominance and flow of a region. */
#include "ir/pass.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "fp/soft.h"
#include "ir/vec.h"

struct check {
    const struct ir_region *r;
    uint32_t at;
    uint8_t *hidden;      /* per record: made inside a skipped part that has ended */
    uint32_t *first_skip; /* per label: the first record that jumps there; IR_NONE: none yet */
    uint8_t *placed;      /* per label */
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct check *c, const char *format, ...)
{
    if (!c->why || !c->why_size)
        return false;
    const struct ir_region *r = c->r;
    const char *name = c->at < r->insns.len && r->insns.at[c->at].op < IR_OP_COUNT
                           ? ir_rows[r->insns.at[c->at].op].name
                           : "?";
    int n = snprintf(c->why, c->why_size, "record %u (%s): ", c->at, name);
    if (n < 0 || (size_t)n >= c->why_size)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(c->why + n, c->why_size - (size_t)n, format, args);
    va_end(args);
    return false;
}

static bool is_int(uint8_t type)
{
    return type == IR_I32 || type == IR_I64;
}

static bool is_float(uint8_t type)
{
    return type == IR_F32 || type == IR_F64;
}

/* An operand: made before, visible here, of TYPE. */
static bool operand(struct check *c, ir_val v, uint8_t type)
{
    if (v >= c->at)
        return wrong(c, "v%u is not made before", v);
    if (c->hidden[v])
        return wrong(c, "v%u is made inside a skipped part", v);
    uint8_t have = ir_result_type(&c->r->insns.at[v]);
    if (have != type)
        return wrong(c, "v%u has type %u, not %u", v, have, type);
    return true;
}

static bool optional(struct check *c, ir_val v, uint8_t type)
{
    return v == IR_NONE || operand(c, v, type);
}

/* Operands A and, if the row has it, B of TYPE. */
static bool operands(struct check *c, const struct ir_insn *i, uint8_t type)
{
    return operand(c, i->a, type) &&
           (ir_rows[i->op].operands[1] != 'v' || operand(c, i->b, type)) &&
           (ir_rows[i->op].operands[2] != 'v' || operand(c, i->c, type));
}

static bool field(struct check *c, const struct ir_insn *i)
{
    unsigned lsb = i->aux & 0xff, width = i->aux >> 8;
    if (width == 0 || lsb + width > ir_type_size(i->type) * 8)
        return wrong(c, "field %u,%u does not fit", lsb, width);
    return operands(c, i, i->type);
}

static bool convert(struct check *c, const struct ir_insn *i)
{
    uint8_t from = i->a < c->at ? ir_result_type(&c->r->insns.at[i->a]) : (uint8_t)IR_VOID;
    bool fits;
    switch (i->op) {
    case IR_zext:
    case IR_sext: fits = i->type == IR_I64 && from == IR_I32; break;
    case IR_trunc: fits = i->type == IR_I32 && from == IR_I64; break;
    case IR_fcvt: fits = is_float(i->type) && is_float(from) && i->type != from; break;
    case IR_f2si:
    case IR_f2ui: fits = is_int(i->type) && is_float(from); break;
    case IR_si2f:
    case IR_ui2f: fits = is_float(i->type) && is_int(from); break;
    default: fits = is_int(i->type) ? is_float(from) : is_float(i->type) && is_int(from); break;
    }
    if (i->op == IR_bitcast)
        fits = fits && ir_type_size(i->type) == ir_type_size(from);
    return fits ? operand(c, i->a, from) : wrong(c, "no conversion from %u to %u", from, i->type);
}

static bool floating(struct check *c, const struct ir_insn *i)
{
    bool fits = true;
    unsigned aux = i->aux & ~IR_FP_SOFT;
    if (!is_float(i->type))
        return wrong(c, "type %u", i->type);
    switch (i->op) {
    case IR_fma: fits = aux <= (FP_NEG_PRODUCT | FP_NEG_ADDEND); break;
    case IR_fcmp:
    case IR_fcmpx: fits = aux <= 1; break;
    case IR_fround: {
        unsigned round = aux & ~IR_FP_QUIET;
        fits = round <= FP_RZ || round == FP_CURRENT;
        break;
    }
    case IR_fcc:
        fits =
            (i->aux >= IR_FCC_B && i->aux <= IR_FCC_A) || i->aux == IR_FCC_P || i->aux == IR_FCC_NP;
        break;
    case IR_fcmpm: fits = aux < 32; break;
    case IR_frcpx:
    case IR_frsqrtx:
        if (i->type != IR_F32)
            return wrong(c, "type %u", i->type);
        fits = i->aux == 0;
        break;
    default: fits = aux == 0; break;
    }
    return fits ? operands(c, i, i->type) : wrong(c, "aux %u", i->aux);
}

static bool pure(struct check *c, const struct ir_insn *i)
{
    if (!is_int(i->type) && !(i->op == IR_select && is_float(i->type)))
        return wrong(c, "type %u", i->type);
    switch (i->op) {
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_ror: return operand(c, i->a, i->type) && operand(c, i->b, IR_I32);
    case IR_ubfx:
    case IR_sbfx:
    case IR_bfi: return field(c, i);
    case IR_cmp:
        return i->aux <= IR_SGT ? operands(c, i, i->type) : wrong(c, "condition %u", i->aux);
    case IR_select:
        return operand(c, i->a, IR_I32) && operand(c, i->b, i->type) && operand(c, i->c, i->type);
    case IR_nzcv_add:
    case IR_nzcv_sub:
        return operand(c, i->a, i->type) && operand(c, i->b, i->type) && optional(c, i->c, IR_I32);
    case IR_nzcv_logic:
        return operand(c, i->a, i->type) && optional(c, i->b, IR_I32) && operand(c, i->c, IR_I32);
    case IR_nzcv_test:
        return i->aux <= 13 ? operand(c, i->a, IR_I32) : wrong(c, "condition %u", i->aux);
    default: return operands(c, i, i->type);
    }
}

static bool is_vector(uint8_t type)
{
    return type == IR_V128 || type == IR_V256;
}

static bool vector(struct check *c, const struct ir_insn *i)
{
    const ir_val operand_of[3] = {i->a, i->b, i->c};
    if (i->aux >= VEC_COUNT)
        return wrong(c, "vector operation %u", i->aux);
    const struct vec_row *r = &vec_rows[i->aux];
    if (vec_carrier(i->aux) != i->op)
        return wrong(c, "%s has other operands", r->name);
    if (!vec_has_type(i->aux, i->type))
        return wrong(c, "%s with type %u", r->name, i->type);
    if (r->imm && operand_of[r->values] > 0xff)
        return wrong(c, "immediate of more than 8 bits");
    for (unsigned n = 0; n < r->values; n++)
        if (!operand(c, operand_of[n], vec_type(r->operand[n], i->type)))
            return false;
    return true;
}

static bool memory(struct check *c, const struct ir_insn *i)
{
    if (!is_int(i->type) && !is_float(i->type) && !(is_vector(i->type) && i->op <= IR_st))
        return wrong(c, "type %u", i->type);
    if (is_vector(i->type) && (1u << IR_MEM_SIZE(i->aux) != ir_type_size(i->type) ||
                               i->aux & (IR_MEM_BE | IR_MEM_SIGNED)))
        return wrong(c, "a vector moves whole and as it is");
    if (1u << IR_MEM_SIZE(i->aux) > ir_type_size(i->type))
        return wrong(c, "access wider than its type");
    if (!operand(c, i->a, c->r->addr_type))
        return false;
    return i->op == IR_ld ||
           (operand(c, i->b, i->type) && (i->op != IR_cas || operand(c, i->c, i->type)));
}

static bool slot(struct check *c, const struct ir_insn *i)
{
    if (i->type < IR_I8 || i->type > IR_V256)
        return wrong(c, "type %u", i->type);
    uint8_t value = i->type < IR_I32 ? (uint8_t)IR_I32 : i->type;
    return i->op == IR_get || i->op == IR_drop || operand(c, i->a, value);
}

static bool call(struct check *c, const struct ir_insn *i)
{
    if (i->a >= c->r->calls.len)
        return wrong(c, "call %u does not exist", i->a);
    const struct ir_call *call = &c->r->calls.at[i->a];
    if (i->type != call->helper->ret)
        return wrong(c, "type %u, helper gives %u", i->type, call->helper->ret);
    for (unsigned n = 0; n < call->helper->nargs; n++) {
        ir_val v = call->args[n];
        if (v >= c->at || ir_result_type(&c->r->insns.at[v]) == IR_VOID ||
            is_vector(ir_result_type(&c->r->insns.at[v])))
            return wrong(c, "argument %u is no scalar", n);
        if (!operand(c, v, ir_result_type(&c->r->insns.at[v])))
            return false;
    }
    return true;
}

static bool skip(struct check *c, const struct ir_insn *i)
{
    if (i->b >= c->r->nlabels || c->placed[i->b])
        return wrong(c, "label %u is not ahead", i->b);
    if (c->first_skip[i->b] == IR_NONE)
        c->first_skip[i->b] = c->at;
    return operand(c, i->a, IR_I32);
}

static bool label(struct check *c, const struct ir_insn *i)
{
    if (i->a >= c->r->nlabels || c->placed[i->a])
        return wrong(c, "label %u is placed twice or does not exist", i->a);
    c->placed[i->a] = 1;
    if (c->first_skip[i->a] != IR_NONE)
        memset(c->hidden + c->first_skip[i->a], 1, c->at - c->first_skip[i->a]);
    return true;
}

static bool leaves(const struct ir_insn *i)
{
    return i->op == IR_exit || i->op == IR_exit_ind || i->op == IR_exit_exc ||
           i->op == IR_exit_state;
}

static bool control(struct check *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_skip_if:
    case IR_skip_ifnot: return skip(c, i);
    case IR_label: return label(c, i);
    case IR_exit_if:
        return i->b < c->r->exits.len ? operand(c, i->a, IR_I32)
                                      : wrong(c, "exit %u does not exist", i->b);
    case IR_leave_if: return operand(c, i->a, IR_I32);
    case IR_exit: return i->a < c->r->exits.len || wrong(c, "exit %u does not exist", i->a);
    case IR_exit_ind: return operand(c, i->a, c->r->addr_type) && operand(c, i->b, IR_I32);
    default: return true;
    }
}

static bool constant(struct check *c, const struct ir_insn *i)
{
    if (!is_int(i->type) && !is_float(i->type))
        return wrong(c, "type %u", i->type);
    /* Values of 32 bits are zero-extended everywhere. */
    return ir_type_size(i->type) == 8 || !i->c || wrong(c, "more than 32 bits");
}

static bool record(struct check *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_const: return constant(c, i);
    case IR_get:
    case IR_drop:
    case IR_put: return slot(c, i);
    case IR_insn:
    case IR_fence: return true;
    case IR_note: return i->a < c->r->notes.len || wrong(c, "note %u does not exist", i->a);
    case IR_call: return call(c, i);
    case IR_ld:
    case IR_st:
    case IR_cas:
    case IR_atomic_add:
    case IR_atomic_and:
    case IR_atomic_or:
    case IR_atomic_xor:
    case IR_atomic_xchg: return memory(c, i);
    case IR_zext:
    case IR_sext:
    case IR_trunc:
    case IR_bitcast:
    case IR_fcvt:
    case IR_f2si:
    case IR_f2ui:
    case IR_si2f:
    case IR_ui2f: return convert(c, i);
    case IR_fneg:
    case IR_fabs: return is_float(i->type) ? operands(c, i, i->type) : wrong(c, "type %u", i->type);
    default:
        if (ir_op_is_vec(i->op))
            return vector(c, i);
        if (ir_rows[i->op].effects & IR_E_CONTROL)
            return control(c, i);
        if (ir_rows[i->op].effects & (IR_E_FPFLAGS | IR_E_FPENV))
            return floating(c, i);
        return pure(c, i);
    }
}

static bool records(struct check *c)
{
    const struct ir_region *r = c->r;
    bool ended = false;
    for (c->at = 0; c->at < r->insns.len; c->at++) {
        const struct ir_insn *i = &r->insns.at[c->at];
        if (i->op >= IR_OP_COUNT)
            return wrong(c, "no such operation");
        if (ended && i->op != IR_label)
            return wrong(c, "cannot be reached");
        if (!record(c, i))
            return false;
        ended = leaves(i);
    }
    if (!ended)
        return wrong(c, "the region does not end");
    for (uint32_t n = 0; n < r->nlabels; n++)
        if (c->first_skip[n] != IR_NONE && !c->placed[n])
            return wrong(c, "label %u is never placed", n);
    return true;
}

bool ir_verify(const struct ir_region *r, char *why, size_t why_size)
{
    struct check c = {.r = r, .why = why, .why_size = why_size};
    if (r->oom)
        return wrong(&c, "the host ran out of memory while building");
    size_t labels = r->nlabels;
    uint8_t *room = malloc(labels * 4 + labels + r->insns.len + 1);
    if (!room)
        return true; /* nothing is known to be wrong */
    c.first_skip = (uint32_t *)room;
    c.placed = room + labels * 4;
    c.hidden = c.placed + labels;
    memset(c.first_skip, 0xff, labels * 4);
    memset(c.placed, 0, labels + r->insns.len);
    bool good = records(&c);
    free(room);
    return good;
}
