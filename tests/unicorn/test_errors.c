/* Wrong arguments: null, unaligned, overlapping, too large, of no kind that there is. Each function
 * is here or, where the errors are many, in the file of its own subject. */
#include "uc_test.h"

#define X86 BYTES("\x90") /* nop */
#define TOP 0xfffffffffffff000

typedef uc_err (*context_read_batch2)(uc_context *, int const *, void *const *, size_t *, int);
typedef uc_err (*context_write_batch2)(uc_context *, int const *, const void *const *, size_t *,
                                       int);
typedef uc_err (*context_read_batch)(uc_context *, int const *, void **, int);
typedef uc_err (*context_write_batch)(uc_context *, int const *, void *const *, int);

/* By name: 2.0 has not all of them. */
#define FUNCTION(type, name) type name = (type)(uintptr_t)uct_function("uc_" #name)

static void test_no_engine(void **state)
{
    FUNCTION(uct_read2, reg_read2);
    FUNCTION(uct_write2, reg_write2);
    FUNCTION(uct_read_batch2, reg_read_batch2);
    FUNCTION(uct_write_batch2, reg_write_batch2);
    FUNCTION(uct_vmem_read, vmem_read);
    FUNCTION(uct_vmem_read, vmem_write);
    FUNCTION(uct_vmem_translate, vmem_translate);
    int id = UC_X86_REG_RAX;
    uint64_t v = 0;
    size_t n = 8;
    void *to[] = {&v};
    const void *from[] = {&v};

    (void)state;
    if (!DIFFERS("null-engine", "crashes"))
        return;
    fails(reg_read2(NULL, id, &v, &n), UC_ERR_HANDLE);
    fails(reg_write2(NULL, id, &v, &n), UC_ERR_HANDLE);
    fails(uc_reg_read_batch(NULL, &id, to, 1), UC_ERR_HANDLE);
    fails(uc_reg_write_batch(NULL, &id, to, 1), UC_ERR_HANDLE);
    fails(reg_read_batch2(NULL, &id, to, &n, 1), UC_ERR_HANDLE);
    fails(reg_write_batch2(NULL, &id, from, &n, 1), UC_ERR_HANDLE);
    fails(uc_mem_map_ptr(NULL, 0, 0x1000, 7, &v), UC_ERR_HANDLE);
    fails(uc_mmio_map(NULL, 0, 0x1000, NULL, NULL, NULL, NULL), UC_ERR_HANDLE);
    fails(vmem_read(NULL, 0, UC_PROT_READ, &v, 1), UC_ERR_HANDLE);
    fails(vmem_write(NULL, 0, UC_PROT_WRITE, &v, 1), UC_ERR_HANDLE);
    fails(vmem_translate(NULL, 0, UC_PROT_READ, &v), UC_ERR_HANDLE);
    fails(uc_context_save(NULL, NULL), UC_ERR_HANDLE);
    fails(uc_context_restore(NULL, NULL), UC_ERR_HANDLE);
    fails(uc_ctl_flush_tb(NULL), UC_ERR_HANDLE);
}

static void test_no_context(void **state)
{
    FUNCTION(uct_context_read2, context_reg_read2);
    FUNCTION(uct_context_write2, context_reg_write2);
    FUNCTION(context_read_batch, context_reg_read_batch);
    FUNCTION(context_write_batch, context_reg_write_batch);
    FUNCTION(context_read_batch2, context_reg_read_batch2);
    FUNCTION(context_write_batch2, context_reg_write_batch2);
    int id = UC_X86_REG_RAX;
    uint64_t v = 0;
    size_t n = 8;
    void *to[] = {&v};
    const void *from[] = {&v};
    uc_context *c;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, X86);
    c = uct_saved(&t);
    if (DIFFERS("null-argument", "crashes")) {
        fails(context_reg_read2(NULL, id, &v, &n), UC_ERR_HANDLE);
        fails(context_reg_write2(NULL, id, &v, &n), UC_ERR_HANDLE);
        fails(context_reg_read_batch(NULL, &id, to, 1), UC_ERR_HANDLE);
        fails(context_reg_write_batch(NULL, &id, to, 1), UC_ERR_HANDLE);
        fails(context_reg_read_batch2(NULL, &id, to, &n, 1), UC_ERR_HANDLE);
        fails(context_reg_write_batch2(NULL, &id, from, &n, 1), UC_ERR_HANDLE);
        fails(uc_context_reg_read(c, id, NULL), UC_ERR_ARG);
        fails(uc_context_reg_write(c, id, NULL), UC_ERR_ARG);
        fails(context_reg_read2(c, id, NULL, &n), UC_ERR_ARG);
        fails(context_reg_read2(c, id, &v, NULL), UC_ERR_ARG);
        fails(context_reg_write2(c, id, NULL, &n), UC_ERR_ARG);
        fails(context_reg_write2(c, id, &v, NULL), UC_ERR_ARG);
        fails(context_reg_read_batch(c, NULL, to, 1), UC_ERR_ARG);
        fails(context_reg_read_batch(c, &id, NULL, 1), UC_ERR_ARG);
        fails(context_reg_write_batch(c, NULL, to, 1), UC_ERR_ARG);
        fails(context_reg_write_batch(c, &id, NULL, 1), UC_ERR_ARG);
        fails(context_reg_read_batch2(c, NULL, to, &n, 1), UC_ERR_ARG);
        fails(context_reg_read_batch2(c, &id, NULL, &n, 1), UC_ERR_ARG);
        fails(context_reg_read_batch2(c, &id, to, NULL, 1), UC_ERR_ARG);
        fails(context_reg_write_batch2(c, NULL, from, &n, 1), UC_ERR_ARG);
        fails(context_reg_write_batch2(c, &id, NULL, &n, 1), UC_ERR_ARG);
        fails(context_reg_write_batch2(c, &id, from, NULL, 1), UC_ERR_ARG);
        to[0] = NULL;
        from[0] = NULL;
        fails(context_reg_read_batch(c, &id, to, 1), UC_ERR_ARG);
        fails(context_reg_write_batch2(c, &id, from, &n, 1), UC_ERR_ARG);
    }
    if (SINCE_2_1) { /* nothing is asked for */
        ok(context_reg_read_batch(c, NULL, NULL, 0));
        ok(context_reg_write_batch(c, NULL, NULL, 0));
        ok(context_reg_read_batch2(c, NULL, NULL, NULL, 0));
        ok(context_reg_write_batch2(c, NULL, NULL, NULL, 0));
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_registers(void **state)
{
    FUNCTION(uct_read2, reg_read2);
    FUNCTION(uct_write2, reg_write2);
    FUNCTION(uct_read_batch2, reg_read_batch2);
    FUNCTION(uct_write_batch2, reg_write_batch2);
    int id = UC_X86_REG_RAX;
    uint64_t v = 0;
    size_t n = 8;
    void *to[] = {NULL};
    const void *from[] = {NULL};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, X86);
    if (DIFFERS("null-argument", "crashes")) {
        fails(reg_read2(t.uc, id, NULL, &n), UC_ERR_ARG);
        fails(reg_read2(t.uc, id, &v, NULL), UC_ERR_ARG);
        fails(reg_write2(t.uc, id, NULL, &n), UC_ERR_ARG);
        fails(reg_write2(t.uc, id, &v, NULL), UC_ERR_ARG);
        fails(uc_reg_read_batch(t.uc, &id, NULL, 1), UC_ERR_ARG);
        fails(uc_reg_read_batch(t.uc, &id, to, 1), UC_ERR_ARG);
        fails(uc_reg_write_batch(t.uc, NULL, to, 1), UC_ERR_ARG);
        fails(uc_reg_write_batch(t.uc, &id, to, 1), UC_ERR_ARG);
        fails(reg_read_batch2(t.uc, NULL, to, &n, 1), UC_ERR_ARG);
        fails(reg_read_batch2(t.uc, &id, to, &n, 1), UC_ERR_ARG);
        fails(reg_read_batch2(t.uc, &id, to, NULL, 1), UC_ERR_ARG);
        fails(reg_write_batch2(t.uc, NULL, from, &n, 1), UC_ERR_ARG);
        fails(reg_write_batch2(t.uc, &id, from, &n, 1), UC_ERR_ARG);
        fails(reg_write_batch2(t.uc, &id, from, NULL, 1), UC_ERR_ARG);
    }
    ok(uc_reg_read_batch(t.uc, NULL, NULL, 0));
    ok(uc_reg_write_batch(t.uc, NULL, NULL, 0));
    ok(uc_reg_read_batch(t.uc, NULL, NULL, -1));
    uct_close(&t);
}

static void test_maps(void **state)
{
    static _Alignas(0x1000) uint8_t page[0x2000];
    uc_mem_region *regions;
    uint32_t count;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, X86);
    fails(uc_mem_map_ptr(t.uc, TOP, 0x2000, 7, page), UC_ERR_ARG);
    fails(uc_mem_map_ptr(t.uc, CODE + 0x8000, 0x2000, 7, page), UC_ERR_MAP);
    fails(uc_mmio_map(t.uc, TOP, 0x2000, NULL, NULL, NULL, NULL), UC_ERR_ARG);
    fails(uc_mmio_map(t.uc, CODE + 0xf000, 0x2000, NULL, NULL, NULL, NULL), UC_ERR_MAP);
    fails(uc_mem_protect(t.uc, TOP, 0x2000, 7), UC_ERR_NOMEM);
    fails(uc_mem_protect(t.uc, CODE, 0x1000, (uint32_t)-1), UC_ERR_ARG);
    fails(uc_mem_unmap(t.uc, CODE + 1, 0x1000), UC_ERR_ARG);
    fails(uc_mem_unmap(t.uc, CODE, TOP), UC_ERR_NOMEM);
    /* Nothing came of it. */
    ok(uc_mem_regions(t.uc, &regions, &count));
    assert_int_equal(count, 1);
    assert_int_equal(regions[0].begin, CODE);
    assert_int_equal(regions[0].end, CODE + 0xffff);
    ok(uc_free(regions));
    if (DIFFERS("null-argument", "crashes")) {
        fails(uc_mem_regions(t.uc, &regions, NULL), UC_ERR_ARG);
        fails(uc_mem_regions(t.uc, NULL, &count), UC_ERR_ARG);
    }
    uct_close(&t);
}

static void test_transfers(void **state)
{
    uint8_t b[8] = {0};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, X86);
    fails(uc_mem_write(t.uc, UINT64_MAX, b, 2), UC_ERR_WRITE_UNMAPPED);
    fails(uc_mem_write(t.uc, CODE - 4, b, 8), UC_ERR_WRITE_UNMAPPED);
    fails(uc_mem_read(t.uc, CODE - 4, b, 8), UC_ERR_READ_UNMAPPED);
    ok(uc_mem_read(t.uc, NOWHERE, b, 0));
    ok(uc_mem_write(t.uc, NOWHERE, b, 0));
    uct_close(&t);
}

static void test_virtual(void **state)
{
    FUNCTION(uct_vmem_read, vmem_read);
    FUNCTION(uct_vmem_read, vmem_write);
    FUNCTION(uct_vmem_translate, vmem_translate);
    static const int wrong[] = {UC_PROT_NONE, UC_PROT_READ | UC_PROT_WRITE, UC_PROT_ALL, 8, -1};
    uint64_t v = 0;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, X86);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fails(vmem_read(t.uc, CODE, (uc_prot)wrong[i], &v, 1), UC_ERR_ARG);
        fails(vmem_write(t.uc, CODE, (uc_prot)wrong[i], &v, 1), UC_ERR_ARG);
        fails(vmem_translate(t.uc, CODE, (uc_prot)wrong[i], &v), UC_ERR_ARG);
    }
    if (DIFFERS("null-argument", "crashes")) {
        fails(vmem_read(t.uc, CODE, UC_PROT_READ, NULL, 1), UC_ERR_ARG);
        fails(vmem_write(t.uc, CODE, UC_PROT_WRITE, NULL, 1), UC_ERR_ARG);
        fails(vmem_translate(t.uc, CODE, UC_PROT_READ, NULL), UC_ERR_ARG);
    }
    uct_close(&t);
}

static void test_hooks(void **state)
{
    struct uct t;
    uc_hook h = 0;

    (void)state;
    uct_x86(&t, 64, X86);
    ok(uc_hook_del(t.uc, 0));
    ok(uc_hook_del(t.uc, 12345));
    ok(uc_hook_del(t.uc, (uc_hook)-1));
    fails(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)test_hooks, &t, 1, 0, UC_X86_INS_ENDING),
          UC_ERR_HOOK);
    fails(uc_hook_add(t.uc, &h, UC_HOOK_TCG_OPCODE, (void *)test_hooks, &t, 1, 0, 99, 0),
          UC_ERR_HOOK);
    ok(uct_run(&t));
    uct_close(&t);
}

static void test_controls(void **state)
{
    uint64_t exits[] = {CODE};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, X86);
    fails(uc_ctl_remove_cache(t.uc, CODE + 1, CODE), UC_ERR_ARG);
    fails(uc_ctl_remove_cache(t.uc, CODE, CODE), UC_ERR_ARG);
    fails(uc_ctl_set_exits(t.uc, exits, (size_t)1), UC_ERR_ARG); /* not enabled */
    fails(uc_ctl_get_exits(t.uc, exits, (size_t)1), UC_ERR_ARG);
    ok(uc_ctl_exits_enable(t.uc));
    if (DIFFERS("null-argument", "crashes")) {
        fails(uc_ctl_set_exits(t.uc, NULL, (size_t)1), UC_ERR_ARG);
        fails(uc_ctl_set_exits(t.uc, exits, SIZE_MAX), UC_ERR_NOMEM);
        ok(uc_ctl_set_exits(t.uc, exits, (size_t)1));
        fails(uc_ctl_get_exits(t.uc, NULL, (size_t)1), UC_ERR_ARG);
        fails(uc_ctl_get_mode(t.uc, NULL), UC_ERR_ARG);
        fails(uc_ctl_get_arch(t.uc, NULL), UC_ERR_ARG);
        fails(uc_ctl_get_page_size(t.uc, NULL), UC_ERR_ARG);
        fails(uc_ctl_get_timeout(t.uc, NULL), UC_ERR_ARG);
        fails(uc_ctl_get_cpu_model(t.uc, NULL), UC_ERR_ARG);
        fails(uc_ctl_get_exits_cnt(t.uc, NULL), UC_ERR_ARG);
        fails(uc_ctl(t.uc, UC_CTL_READ(UC_CTL_TCG_BUFFER_SIZE, 1), NULL), UC_ERR_ARG);
    }
    if (SINCE_2_1) {
        fails(uc_ctl_tlb_mode(t.uc, 2), UC_ERR_ARG);
        fails(uc_ctl_tlb_mode(t.uc, -1), UC_ERR_ARG);
    }
    uct_close(&t);
}

/* Bytes that no context was saved to. */
static void test_context_bytes(void **state)
{
    uint8_t *bytes;
    size_t size;
    uint64_t v;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, X86);
    size = uc_context_size(t.uc);
    bytes = calloc(1, size);
    assert_non_null(bytes);
    if (DIFFERS("context-buffer", "is taken as it is")) {
        fails(uc_context_restore(t.uc, (uc_context *)bytes), UC_ERR_ARG);
        fails(uc_context_reg_read((uc_context *)bytes, UC_X86_REG_RAX, &v), UC_ERR_ARG);
        memset(bytes, 0xff, size);
        fails(uc_context_restore(t.uc, (uc_context *)bytes), UC_ERR_ARG);
        fails(uc_context_reg_write((uc_context *)bytes, UC_X86_REG_RAX, &v), UC_ERR_ARG);
    }
    free(bytes);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_engine),     cmocka_unit_test(test_no_context),
        cmocka_unit_test(test_registers),     cmocka_unit_test(test_maps),
        cmocka_unit_test(test_transfers),     cmocka_unit_test(test_virtual),
        cmocka_unit_test(test_hooks),         cmocka_unit_test(test_controls),
        cmocka_unit_test(test_context_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
