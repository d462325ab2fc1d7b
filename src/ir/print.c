/* IR as text. */
#include "ir/print.h"

#include <inttypes.h>
#include "fp/soft.h"
#include "ir/vec.h"

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {"void", "i8",  "i16",  "i32", "i64",
                                        "f32",  "f64", "v128", "v256"};
    return type < ARRAY_LEN(names) ? names[type] : "?";
}

static const char *cc_name(unsigned cc)
{
    static const char *const names[] = {"eq",  "ne",  "ult", "uge", "ule",
                                        "ugt", "slt", "sge", "sle", "sgt"};
    return cc < ARRAY_LEN(names) ? names[cc] : "?";
}

/* ARM condition names (ARM DDI 0406C A8.3). */
static const char *cond_name(unsigned cond)
{
    static const char *const names[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs",
                                        "vc", "hi", "ls", "ge", "lt", "gt", "le"};
    return cond < ARRAY_LEN(names) ? names[cond] : "?";
}

static const char *fcc_name(unsigned cc)
{
    static const char *const names[] = {"?",  "?", "b", "ae", "e", "ne",
                                        "be", "a", "?", "?",  "p", "np"};
    return cc < ARRAY_LEN(names) ? names[cc] : "?";
}

static const char *round_name(unsigned round)
{
    static const char *const names[] = {"nearest", "up", "down", "zero", "away"};
    return round < ARRAY_LEN(names) ? names[round] : "current";
}

static void print_val(FILE *f, ir_val v)
{
    if (v == IR_NONE)
        fputs("none", f);
    else
        fprintf(f, "v%" PRIu32, v);
}

static void print_slot(FILE *f, uint32_t offset, uint8_t type, const struct ir_names *names)
{
    const char *name = names && names->slot ? names->slot(offset, ir_type_size(type)) : NULL;
    if (name)
        fputs(name, f);
    else
        fprintf(f, "[%" PRIu32 "]", offset);
}

/* " u8 be align4 mmu1" */
static void print_memop(FILE *f, unsigned m)
{
    fprintf(f, " %c%u", m & IR_MEM_SIGNED ? 's' : 'u', 8u << IR_MEM_SIZE(m));
    if (m & IR_MEM_BE)
        fputs(" be", f);
    if (IR_MEM_ALIGN_OF(m))
        fprintf(f, " align%u", 1u << IR_MEM_ALIGN_OF(m));
    if (IR_MEM_MMU_OF(m))
        fprintf(f, " mmu%u", IR_MEM_MMU_OF(m));
    if (m & IR_MEM_RESTARTED)
        fputs(" restarted", f);
}

static void print_values(FILE *f, const struct ir_insn *i)
{
    const char *shape = ir_rows[i->op].operands;
    const ir_val operand[3] = {i->a, i->b, i->c};
    for (unsigned n = 0; n < 3; n++) {
        if (shape[n] == '.')
            break;
        fputs(n ? ", " : " ", f);
        if (shape[n] == 'i')
            fprintf(f, "%" PRIu32, operand[n]);
        else
            print_val(f, operand[n]);
    }
}

static void print_exit(FILE *f, const struct ir_region *r, uint32_t n)
{
    if (n >= r->exits.len) {
        fprintf(f, "exit %" PRIu32 "?", n);
        return;
    }
    const struct ir_exit *e = &r->exits.at[n];
    fprintf(f, "0x%" PRIx64 " mode 0x%" PRIx32 "%s", e->pc, e->mode, e->back_edge ? " back" : "");
}

static void print_call(FILE *f, const struct ir_region *r, const struct ir_insn *i)
{
    if (i->a >= r->calls.len) {
        fprintf(f, " call %" PRIu32 "?", i->a);
        return;
    }
    const struct ir_call *call = &r->calls.at[i->a];
    fprintf(f, " %s(", call->helper->name);
    for (unsigned n = 0; n < call->helper->nargs; n++) {
        if (n)
            fputs(", ", f);
        print_val(f, call->args[n]);
    }
    fputc(')', f);
}

static const char *note_name(const struct ir_region *r, uint32_t n)
{
    static const char *const names[] = {"count", "cover", "ring"};
    return n < r->notes.len ? names[r->notes.at[n].kind] : "?";
}

/* Control flow: no result, no type. */
static void print_control(FILE *f, const struct ir_region *r, const struct ir_insn *i)
{
    fputs(ir_rows[i->op].name, f);
    switch (i->op) {
    case IR_skip_if:
    case IR_skip_ifnot: fprintf(f, " v%" PRIu32 ", L%" PRIu32, i->a, i->b); break;
    case IR_label: fprintf(f, " L%" PRIu32, i->a); break;
    case IR_exit_if:
        fprintf(f, " v%" PRIu32 ", ", i->a);
        print_exit(f, r, i->b);
        break;
    case IR_exit:
        fputc(' ', f);
        print_exit(f, r, i->a);
        break;
    case IR_exit_exc:
        fprintf(f, " %" PRIu32 ", %" PRIu32, i->a, i->b);
        if (i->aux)
            fprintf(f, " pc+%u", i->aux);
        break;
    default: print_values(f, i); break;
    }
}

static void print_typed(FILE *f, const struct ir_region *r, const struct ir_insn *i,
                        const struct ir_names *names)
{
    fputs(ir_rows[i->op].name, f);
    if (i->op == IR_cmp)
        fprintf(f, ".%s", cc_name(i->aux));
    if (i->op == IR_nzcv_test)
        fprintf(f, ".%s", cond_name(i->aux));
    if (i->op == IR_fcc)
        fprintf(f, ".%s", fcc_name(i->aux));
    if (ir_op_is_vec(i->op))
        fprintf(f, ".%s", i->aux < VEC_COUNT ? vec_rows[i->aux].name : "?");
    if (i->type != IR_VOID && i->op != IR_nzcv_test)
        fprintf(f, ".%s", type_name(i->type));
    switch (i->op) {
    case IR_const: fprintf(f, " 0x%" PRIx64, ir_const_bits(i)); return;
    case IR_get:
    case IR_drop:
        fputc(' ', f);
        print_slot(f, i->a, i->type, names);
        return;
    case IR_put:
        fputc(' ', f);
        print_slot(f, i->b, i->type, names);
        fprintf(f, ", v%" PRIu32, i->a);
        return;
    case IR_call: print_call(f, r, i); return;
    case IR_note: fprintf(f, " %s", note_name(r, i->a)); return;
    default: break;
    }
    print_values(f, i);
    if (i->op == IR_ubfx || i->op == IR_sbfx || i->op == IR_bfi)
        fprintf(f, ", %u, %u", i->aux & 0xffu, (unsigned)i->aux >> 8);
    if (ir_rows[i->op].effects & IR_E_FAULT)
        print_memop(f, i->aux);
    if (i->op == IR_f2si || i->op == IR_f2ui || i->op == IR_fround)
        fprintf(f, " %s", round_name(i->aux & 7));
    if (i->op == IR_fround && i->aux & IR_FP_QUIET)
        fputs(" quiet", f);
    if ((i->op == IR_fcmp || i->op == IR_fcmpx) && i->aux & 1)
        fputs(" signaling", f);
    if (i->op == IR_fma && i->aux & FP_NEG_PRODUCT)
        fputs(" -product", f);
    if (i->op == IR_fma && i->aux & FP_NEG_ADDEND)
        fputs(" -addend", f);
    if (i->op == IR_fcmpm)
        fprintf(f, ", %u", i->aux & 31u);
    if (ir_rows[i->op].effects & IR_E_FPFLAGS && !ir_op_is_vec(i->op) && i->aux & IR_FP_SOFT)
        fputs(" soft", f);
}

void ir_print_insn(FILE *f, const struct ir_region *r, ir_val v, const struct ir_names *names)
{
    const struct ir_insn *i = &r->insns.at[v];
    if (i->op == IR_insn) {
        fprintf(f, "insn 0x%" PRIx64, ir_insn_pc(i));
        if (i->a)
            fprintf(f, " aux 0x%" PRIx32, i->a);
        fputc('\n', f);
        return;
    }
    fputs("  ", f);
    if (ir_result_type(i) != IR_VOID)
        fprintf(f, "v%" PRIu32 " = ", v);
    if (ir_rows[i->op].effects & IR_E_CONTROL)
        print_control(f, r, i);
    else
        print_typed(f, r, i, names);
    uint8_t mark = v < r->marks.len ? r->marks.at[v] : 0;
    if (mark & (IR_MARK_COLD_PUT | IR_MARK_COLD_VALUE))
        fputs("  ; cold", f);
    fputc('\n', f);
}

void ir_print(FILE *f, const struct ir_region *r, const struct ir_names *names)
{
    for (ir_val v = 0; v < r->insns.len; v++)
        ir_print_insn(f, r, v, names);
}
