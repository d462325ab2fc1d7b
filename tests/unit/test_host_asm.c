/* The x86-64 encoder against capstone's reading of the bytes, over all registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <capstone/capstone.h>
#include <cmocka.h>

#include "host/x86_64/asm.h"

static csh cs;
static uint8_t code[64];
static struct asm_buf a;

static const char *const names64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const names32[] = {"eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                      "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};
static const char *const names8[] = {"al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
                                     "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"};

static const char *reg(uint32_t w, unsigned r)
{
    return w ? names64[r] : names32[r];
}

static void begin(void)
{
    memset(code, 0x90, sizeof code);
    a = (struct asm_buf){code, code, code + sizeof code, 1};
}

/* What was emitted since begin() is exactly one instruction that reads so. */
__attribute__((format(printf, 1, 2))) static void expect(const char *format, ...)
{
    char want[128], have[224];
    va_list args;
    cs_insn *insn;
    va_start(args, format);
    vsnprintf(want, sizeof want, format, args);
    va_end(args);
    size_t n = cs_disasm(cs, code, (size_t)(a.p - code), 0, 1, &insn);
    if (n != 1)
        fail_msg("not decodable: %s", want);
    snprintf(have, sizeof have, insn->op_str[0] ? "%s %s" : "%s", insn->mnemonic, insn->op_str);
    assert_string_equal(have, want);
    assert_int_equal(insn->size, a.p - code);
    cs_free(insn, n);
    begin();
}

#define EACH_PAIR(x, y)                                                                            \
    for (unsigned x = 0; x < 16; x++)                                                              \
        for (unsigned y = 0; y < 16; y++)

static void registers(void **state)
{
    static const char *const alu[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
    (void)state;
    begin();
    for (uint32_t w = 0; w <= X_W; w += X_W)
        EACH_PAIR(d, s)
        {
            x_mov(&a, w, d, s);
            expect("mov %s, %s", reg(w, d), reg(w, s));
            for (unsigned op = X_ADD; op <= X_CMP; op++) {
                x_alu(&a, w, (enum x_alu)op, d, s);
                expect("%s %s, %s", alu[op], reg(w, d), reg(w, s));
            }
            x_imul(&a, w, d, s);
            expect("imul %s, %s", reg(w, d), reg(w, s));
            x_imul_imm(&a, w, d, s, 1000);
            expect("imul %s, %s, 0x3e8", reg(w, d), reg(w, s));
            x_cmov(&a, w, X_LE, d, s);
            expect("cmovle %s, %s", reg(w, d), reg(w, s));
            x_test(&a, w, d, s);
            expect("test %s, %s", reg(w, s), reg(w, d));
            x_movzx8(&a, d, s);
            expect("movzx %s, %s", names32[d], names8[s]);
            x_shiftx(&a, w, X_SHRX, d, s, 15 - d);
            expect("shrx %s, %s, %s", reg(w, d), reg(w, s), reg(w, 15 - d));
            x_shiftx(&a, w, X_SARX, d, s, 15 - d);
            expect("sarx %s, %s, %s", reg(w, d), reg(w, s), reg(w, 15 - d));
            x_shiftx(&a, w, X_SHLX, d, s, 15 - s);
            expect("shlx %s, %s, %s", reg(w, d), reg(w, s), reg(w, 15 - s));
            x_rorx(&a, w, d, s, 13);
            expect("rorx %s, %s, 0xd", reg(w, d), reg(w, s));
        }
}

static void single(void **state)
{
    (void)state;
    begin();
    for (uint32_t w = 0; w <= X_W; w += X_W)
        for (unsigned r = 0; r < 16; r++) {
            x_alu_imm(&a, w, X_ADD, r, 0x7f);
            expect("add %s, 0x7f", reg(w, r));
            x_alu_imm(&a, w, X_SUB, r, 0x12345);
            expect("sub %s, 0x12345", reg(w, r));
            x_shift_imm(&a, w, X_SAR, r, 7);
            expect("sar %s, 7", reg(w, r));
            x_not(&a, w, r);
            expect("not %s", reg(w, r));
            x_neg(&a, w, r);
            expect("neg %s", reg(w, r));
            x_bswap(&a, w, r);
            expect("bswap %s", reg(w, r));
            x_muldiv(&a, w, 7, r);
            expect("idiv %s", reg(w, r));
            x_setcc(&a, X_BE, r);
            expect("setbe %s", names8[r]);
            x_bt_imm(&a, r, 3);
            expect("bt %s, 3", names32[r]);
            x_test_imm(&a, 0, r, 8);
            expect("test %s, 8", names8[r]);
            x_test_imm(&a, w, r, 0x12345);
            expect("test %s, 0x12345", reg(w, r));
            x_mov_imm(&a, r, 0x12345678);
            expect("mov %s, 0x12345678", names32[r]);
            x_mov_imm(&a, r, 0x123456789a);
            expect("movabs %s, 0x123456789a", names64[r]);
            x_mov_imm(&a, r, UINT64_MAX);
            expect("mov %s, -1", names64[r]);
            x_jmp_reg(&a, r);
            expect("jmp %s", names64[r]);
            x_call_reg(&a, r);
            expect("call %s", names64[r]);
        }
}

static void memory_operands(void **state)
{
    (void)state;
    begin();
    EACH_PAIR(r, b)
    {
        x_load(&a, 0, r, x_at(b, 0));
        expect("mov %s, dword ptr [%s]", names32[r], names64[b]);
        x_load(&a, X_W, r, x_at(b, 0x44));
        expect("mov %s, qword ptr [%s + 0x44]", names64[r], names64[b]);
        x_store(&a, 0, x_at(b, -0x200), r);
        expect("mov dword ptr [%s - 0x200], %s", names64[b], names32[r]);
        x_lea(&a, X_W, r, x_at(b, 0x7f));
        expect("lea %s, [%s + 0x7f]", names64[r], names64[b]);
        x_rm(&a, 0x88 | X_REG8, r, x_at(b, 1));
        expect("mov byte ptr [%s + 1], %s", names64[b], names8[r]);
        x_alu_mem(&a, X_W, X_XOR, r, x_at(b, 8));
        expect("xor %s, qword ptr [%s + 8]", names64[r], names64[b]);
        x_alu_mem_imm(&a, 0, X_CMP, x_at(b, 8), 300);
        expect("cmp dword ptr [%s + 8], 0x12c", names64[b]);
        x_store_imm32(&a, 0, x_at(b, 8), 5);
        expect("mov dword ptr [%s + 8], 5", names64[b]);
        if (r == RSP)
            continue;
        x_load(&a, 0, b, x_at_index(b, r, 0, 0x10));
        expect("mov %s, dword ptr [%s + %s + 0x10]", names32[b], names64[b], names64[r]);
        x_load(&a, X_W, b, x_at_index(b, r, 3, 0));
        expect("mov %s, qword ptr [%s + %s*8]", names64[b], names64[b], names64[r]);
        x_rm(&a, 0xf0 | X_0F38, b, x_at_index(R15, r, 0, 4));
        expect("movbe %s, dword ptr [r15 + %s + 4]", names32[b], names64[r]);
        x_rm(&a, 0xb1 | X_0F | X_LOCK, b, x_at_index(R15, r, 0, 4));
        expect("lock cmpxchg dword ptr [r15 + %s + 4], %s", names64[r], names32[b]);
    }
    x_load(&a, 0, RAX, x_at_rip(0x106));
    expect("mov eax, dword ptr [rip + 0x100]");
    x_alu_mem_imm(&a, 0, X_CMP, x_at_rip(0x107), 1);
    expect("cmp dword ptr [rip + 0x100], 1");
}

/* A displacement byte where it could be left out, so that five bytes are there to replace. */
static void padded(void **state)
{
    struct x_mem m = x_at_index(R15, RBX, 0, 0);
    (void)state;
    begin();
    m.disp8 = true;
    x_load(&a, 0, RCX, m);
    assert_int_equal(a.p - code, 5);
    expect("mov ecx, dword ptr [r15 + rbx]");
}

static void vex(void **state)
{
    (void)state;
    begin();
    EACH_PAIR(d, s)
    {
        unsigned t = 15 - d;
        v_arith(&a, true, V_MUL, d, s, t);
        expect("vmulsd xmm%u, xmm%u, xmm%u", d, s, t);
        v_arith(&a, false, V_DIV, d, s, t);
        expect("vdivss xmm%u, xmm%u, xmm%u", d, s, t);
        v_mov(&a, d, s);
        expect("vmovaps xmm%u, xmm%u", d, s);
        v_load(&a, true, d, x_at(s, 8));
        expect("vmovsd xmm%u, qword ptr [%s + 8]", d, names64[s]);
        v_store(&a, false, x_at(s, 8), d);
        expect("vmovss dword ptr [%s + 8], xmm%u", names64[s], d);
        v_from_gpr(&a, false, d, s);
        expect("vmovd xmm%u, %s", d, names32[s]);
        v_from_gpr(&a, true, d, s);
        expect("vmovq xmm%u, %s", d, names64[s]);
        v_to_gpr(&a, true, d, s);
        expect("vmovq %s, xmm%u", names64[d], s);
        v_comi(&a, true, false, d, s);
        expect("vucomisd xmm%u, xmm%u", d, s);
        v_comi(&a, false, true, d, s);
        expect("vcomiss xmm%u, xmm%u", d, s);
        v_rrr(&a, 0xb9 | X_0F38 | X_66 | X_W, d, s, t);
        expect("vfmadd231sd xmm%u, xmm%u, xmm%u", d, s, t);
        v_rrr(&a, 0xf2 | X_0F38 | X_W, d, s, t);
        expect("andn %s, %s, %s", names64[d], names64[s], names64[t]);
        v_rrr(&a, 0xf5 | X_0F38 | X_F3, d, s, t);
        expect("pext %s, %s, %s", names32[d], names32[s], names32[t]);
    }
    v_rrm(&a, 0x54 | X_0F, 9, 3, x_at_rip(0x108));
    expect("vandps xmm9, xmm3, xmmword ptr [rip + 0x100]");
}

static void jumps(void **state)
{
    (void)state;
    begin();
    x_jmp_to(&a, 0x105);
    expect("jmp 0x105");
    x_call_to(&a, -0x10);
    expect("call 0xfffffffffffffff0");
    x_jcc_to(&a, X_G, 0x106);
    expect("jg 0x106");
    for (unsigned n = 1; n < 10; n++) {
        cs_insn *insn;
        begin();
        x_nop(&a, n);
        assert_int_equal(cs_disasm(cs, code, n, 0, 0, &insn), 1);
        assert_string_equal(insn->mnemonic, "nop");
        cs_free(insn, 1);
    }
    begin();
    uint8_t *from = x_jcc8(&a, X_E);
    x_nop(&a, 9);
    x_here8(&a, from);
    assert_int_equal(code[1], 9);
}

/* Only what writes EFLAGS forgets them. */
static void flags_owner(void **state)
{
    (void)state;
    begin();
    x_mov(&a, 0, RAX, RCX);
    x_not(&a, 0, RAX);
    x_rorx(&a, 0, RAX, RCX, 1);
    x_lea(&a, 0, RAX, x_at(RCX, 4));
    assert_int_equal(a.flags, 1);
    x_alu(&a, 0, X_ADD, RAX, RCX);
    assert_int_equal(a.flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers),   cmocka_unit_test(single), cmocka_unit_test(memory_operands),
        cmocka_unit_test(padded),      cmocka_unit_test(vex),    cmocka_unit_test(jumps),
        cmocka_unit_test(flags_owner),
    };
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cs_close(&cs);
    return failed;
}
