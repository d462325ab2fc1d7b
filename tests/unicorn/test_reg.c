/* Registers through every call: one and many, with sizes and without, of engines and of contexts.
 */
#include "uc_test.h"

static void test_single(void **state)
{
    struct uct t;
    uint64_t v = 0;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (int i = 0; i < 8; i++)
        uct_set(&t, UC_X86_REG_R8 + i, 0x1111111111111111u * (unsigned)i);
    for (int i = 0; i < 8; i++) {
        ok(uc_reg_read(t.uc, UC_X86_REG_R8 + i, &v));
        assert_int_equal(v, 0x1111111111111111u * (unsigned)i);
    }
    uct_close(&t);
}

/* What is no register is let pass, and nothing is written. */
static void test_unknown(void **state)
{
    static const int unknown[] = {-1, 0, 27, 42, 55, 74, UC_X86_REG_ENDING, 1000, INT32_MAX};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        uint64_t v = 0xa5a5a5a5a5a5a5a5;
        ok(uc_reg_read(t.uc, unknown[i], &v));
        assert_int_equal(v, 0xa5a5a5a5a5a5a5a5);
        ok(uc_reg_write(t.uc, unknown[i], &v));
    }
    uct_close(&t);
}

static void test_batch(void **state)
{
    int ids[] = {UC_X86_REG_RAX, UC_X86_REG_AH, UC_X86_REG_XMM3, UC_X86_REG_R15};
    uint64_t a = 0x1122334455667788, d = 4, wide[2] = {5, 6};
    uint8_t b = 0xab;
    void *values[] = {&a, &b, wide, &d};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    /* One after the other: AH changes what RAX got. */
    ok(uc_reg_write_batch(t.uc, ids, values, 4));
    a = b = wide[0] = wide[1] = d = 0;
    ok(uc_reg_read_batch(t.uc, ids, values, 4));
    assert_int_equal(a, 0x112233445566ab88);
    assert_int_equal(b, 0xab);
    assert_int_equal(wide[0], 5);
    assert_int_equal(wide[1], 6);
    assert_int_equal(d, 4);
    ok(uc_reg_write_batch(t.uc, ids, values, 0));
    ok(uc_reg_read_batch(t.uc, ids, values, 0));
    ok(uc_reg_write_batch(t.uc, ids, values, -1));
    ok(uc_reg_read_batch(t.uc, ids, values, -1));
    uct_close(&t);
}

static void test_sizes(void **state)
{
    static const struct {
        int id;
        size_t size;
    } rows[] = {
        {UC_X86_REG_AL, 1},      {UC_X86_REG_AH, 1},     {UC_X86_REG_R9B, 1},
        {UC_X86_REG_SIL, 1},     {UC_X86_REG_AX, 2},     {UC_X86_REG_IP, 2},
        {UC_X86_REG_FLAGS, 2},   {UC_X86_REG_CS, 2},     {UC_X86_REG_GS, 2},
        {UC_X86_REG_FPCW, 2},    {UC_X86_REG_FPSW, 2},   {UC_X86_REG_FPTAG, 2},
        {UC_X86_REG_EAX, 4},     {UC_X86_REG_EIP, 4},    {UC_X86_REG_EFLAGS, 4},
        {UC_X86_REG_MXCSR, 4},   {UC_X86_REG_R10D, 4},   {UC_X86_REG_R10W, 2},
        {UC_X86_REG_RAX, 8},     {UC_X86_REG_RIP, 8},    {UC_X86_REG_RFLAGS, 8},
        {UC_X86_REG_CR0, 8},     {UC_X86_REG_CR8, 8},    {UC_X86_REG_DR7, 8},
        {UC_X86_REG_FS_BASE, 8}, {UC_X86_REG_ST0, 10},   {UC_X86_REG_FP7, 10},
        {UC_X86_REG_XMM0, 16},   {UC_X86_REG_YMM15, 32}, {UC_X86_REG_ZMM31, 64},
        {UC_X86_REG_GDTR, 24},   {UC_X86_REG_TR, 24},    {UC_X86_REG_MSR, 16},
        {UC_X86_REG_FIP, 8},     {UC_X86_REG_FCS, 2},    {UC_X86_REG_FOP, 2},
    };
    uct_read2 read2 = (uct_read2)uct_function("uc_reg_read2");
    uct_write2 write2 = (uct_write2)uct_function("uc_reg_write2");
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buffer[80] = {0};
        size_t size = sizeof buffer;

        ok(read2(t.uc, rows[i].id, buffer, &size));
        assert_int_equal(size, rows[i].size);
        ok(read2(t.uc, rows[i].id, buffer, &size));
        ok(write2(t.uc, rows[i].id, buffer, &size));
        assert_int_equal(size, rows[i].size);
        size = sizeof buffer;
        ok(write2(t.uc, rows[i].id, buffer, &size));
        assert_int_equal(size, rows[i].size);
        size = rows[i].size - 1;
        memset(buffer, 0xa5, sizeof buffer);
        fails(read2(t.uc, rows[i].id, buffer, &size), UC_ERR_OVERFLOW);
        assert_int_equal(size, rows[i].size - 1);
        assert_int_equal(buffer[0], rows[i].id == UC_X86_REG_MSR ? buffer[0] : 0xa5);
        fails(write2(t.uc, rows[i].id, buffer, &size), UC_ERR_OVERFLOW);
        size = 0;
        fails(read2(t.uc, rows[i].id, buffer, &size), UC_ERR_OVERFLOW);
    }
    uct_close(&t);
}

/* A read writes as many bytes as the register has and not one more. */
static void test_exact_bytes(void **state)
{
    static const struct {
        int id;
        unsigned size;
    } rows[] = {{UC_X86_REG_BL, 1},    {UC_X86_REG_BX, 2},   {UC_X86_REG_EBX, 4},
                {UC_X86_REG_RBX, 8},   {UC_X86_REG_ST3, 10}, {UC_X86_REG_XMM7, 16},
                {UC_X86_REG_YMM7, 32}, {UC_X86_REG_DS, 2}};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buffer[80];

        memset(buffer, 0xa5, sizeof buffer);
        ok(uc_reg_read(t.uc, rows[i].id, buffer));
        for (unsigned k = 0; k < sizeof buffer; k++)
            assert_int_equal(buffer[k], k < rows[i].size ? 0 : 0xa5);
    }
    uct_close(&t);
}

static void test_batch_sizes(void **state)
{
    uct_read_batch2 read_batch2 = (uct_read_batch2)uct_function("uc_reg_read_batch2");
    uct_write_batch2 write_batch2 = (uct_write_batch2)uct_function("uc_reg_write_batch2");
    int ids[] = {UC_X86_REG_RAX, UC_X86_REG_EBX, UC_X86_REG_CX};
    uint64_t v[] = {0x1111111111111111, 0x22222222, 0x3333};
    void *values[] = {&v[0], &v[1], &v[2]};
    const void *const sources[] = {&v[0], &v[1], &v[2]};
    size_t sizes[] = {8, 80, 80};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(write_batch2(t.uc, ids, sources, sizes, 3));
    assert_int_equal(sizes[0], 8);
    assert_int_equal(sizes[1], 4);
    assert_int_equal(sizes[2], 2);
    memset(v, 0, sizeof v);
    ok(read_batch2(t.uc, ids, values, sizes, 3));
    assert_int_equal(v[0], 0x1111111111111111);
    assert_int_equal(v[1], 0x22222222);
    assert_int_equal(v[2], 0x3333);

    /* The first that is too small ends it; those before are done. */
    v[0] = 7;
    v[1] = v[2] = 9;
    sizes[0] = 80, sizes[1] = 3, sizes[2] = 80;
    fails(write_batch2(t.uc, ids, sources, sizes, 3), UC_ERR_OVERFLOW);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 7);
    assert_int_equal(uct_get(&t, UC_X86_REG_EBX), 0x22222222);
    assert_int_equal(uct_get(&t, UC_X86_REG_CX), 0x3333);
    assert_int_equal(sizes[0], 8);
    v[0] = v[1] = v[2] = 1;
    fails(read_batch2(t.uc, ids, values, sizes, 3), UC_ERR_OVERFLOW);
    assert_int_equal(v[0], 7);
    assert_int_equal(v[1], 1);
    assert_int_equal(v[2], 1);
    ok(read_batch2(t.uc, ids, values, sizes, 0));
    uct_close(&t);
}

static uint64_t context_get(uc_context *c, int id)
{
    uint64_t v[8] = {0};

    ok(uc_context_reg_read(c, id, v));
    return v[0];
}

static void test_context(void **state)
{
    int ids[] = {UC_X86_REG_RAX, UC_X86_REG_XMM1};
    uint64_t a = 21, wide[2] = {22, 23};
    void *values[] = {&a, wide};
    uc_context *c;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    uct_set(&t, UC_X86_REG_RAX, 11);
    uct_set(&t, UC_X86_REG_XMM1, 12);
    ok(uc_context_alloc(t.uc, &c));
    ok(uc_context_save(t.uc, c));
    assert_int_equal(context_get(c, UC_X86_REG_RAX), 11);
    assert_int_equal(context_get(c, UC_X86_REG_XMM1), 12);
    ok(uc_context_reg_write_batch(c, ids, values, 2));
    a = wide[0] = 0;
    ok(uc_context_reg_read_batch(c, ids, values, 2));
    assert_int_equal(a, 21);
    assert_int_equal(wide[0], 22);
    assert_int_equal(wide[1], 23);
    a = 31;
    ok(uc_context_reg_write(c, UC_X86_REG_RIP, &a));
    /* The engine has not changed before the context is restored. */
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 11);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 21);
    assert_int_equal(uct_get(&t, UC_X86_REG_XMM1), 22);
    assert_int_equal(uct_get(&t, UC_X86_REG_RIP), 31);
    ok(uc_context_reg_read(c, UC_X86_REG_ENDING, &a));
    ok(uc_context_reg_write(c, 0, &a));
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_context_sizes(void **state)
{
    uct_context_read2 read2 = (uct_context_read2)uct_function("uc_context_reg_read2");
    uct_context_write2 write2 = (uct_context_write2)uct_function("uc_context_reg_write2");
    typedef uc_err (*read_batch2)(uc_context *, int const *, void *const *, size_t *, int);
    typedef uc_err (*write_batch2)(uc_context *, int const *, const void *const *, size_t *, int);
    read_batch2 reads = (read_batch2)uct_function("uc_context_reg_read_batch2");
    write_batch2 writes = (write_batch2)uct_function("uc_context_reg_write_batch2");
    int ids[] = {UC_X86_REG_RAX, UC_X86_REG_EBX};
    uint64_t v[] = {5, 6};
    const void *const sources[] = {&v[0], &v[1]};
    void *const values[] = {&v[0], &v[1]};
    size_t size = 80, sizes[] = {80, 80};
    uint8_t buffer[80] = {0};
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_context_alloc(t.uc, &c));
    ok(uc_context_save(t.uc, c));
    ok(read2(c, UC_X86_REG_AX, buffer, &size));
    assert_int_equal(size, 2);
    size = 1;
    fails(read2(c, UC_X86_REG_AX, buffer, &size), UC_ERR_OVERFLOW);
    fails(write2(c, UC_X86_REG_AX, buffer, &size), UC_ERR_OVERFLOW);
    size = 80;
    ok(write2(c, UC_X86_REG_ZMM1, buffer, &size));
    assert_int_equal(size, 64);
    ok(writes(c, ids, sources, sizes, 2));
    assert_int_equal(sizes[0], 8);
    assert_int_equal(sizes[1], 4);
    v[0] = v[1] = 0;
    ok(reads(c, ids, values, sizes, 2));
    assert_int_equal(v[0], 5);
    assert_int_equal(v[1], 6);
    sizes[1] = 3;
    fails(reads(c, ids, values, sizes, 2), UC_ERR_OVERFLOW);
    fails(writes(c, ids, sources, sizes, 2), UC_ERR_OVERFLOW);
    ok(uc_context_free(c));
    uct_close(&t);
}

static void write_in_hook(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    uint64_t v = address, flags = 2;

    (void)size;
    (void)user;
    ok(uc_reg_write(uc, UC_X86_REG_RAX, &v));
    if (address == CODE + 5)
        ok(uc_reg_write(uc, UC_X86_REG_EFLAGS, &flags));
}

/* What a hook writes is what the instruction sees, flags too. */
static void test_in_hook(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x89\xc1\x39\xc0\x0f\x94\xc3\x48\x89\xc2") /* mov rcx,rax; cmp eax,eax; setz bl; mov rdx,rax */);
    uct_set(&t, UC_X86_REG_RBX, 0);
    uct_hook(&t, UC_HOOK_CODE, (void *)write_in_hook);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), CODE);
    if (SINCE_2_1)
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RDX), CODE + 8);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),      cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_batch),       cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_exact_bytes), cmocka_unit_test(test_batch_sizes),
        cmocka_unit_test(test_context),     cmocka_unit_test(test_context_sizes),
        cmocka_unit_test(test_in_hook),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
