/* Names, numbers and layouts that programs were compiled with. */
#include "uc_test.h"

#define SIZE(type, n)      _Static_assert(sizeof(type) == (n), #type)
#define AT(type, field, n) _Static_assert(offsetof(type, field) == (n), #type "." #field)
#define IS(name, n)        _Static_assert((name) == (n), #name)

SIZE(uc_mem_region, 24);
AT(uc_mem_region, end, 8);
AT(uc_mem_region, perms, 16);
SIZE(uc_tlb_entry, 16);
AT(uc_tlb_entry, perms, 8);
SIZE(uc_tb, 16);
AT(uc_tb, icount, 8);
AT(uc_tb, size, 10);
SIZE(uc_x86_mmr, 24);
AT(uc_x86_mmr, base, 8);
AT(uc_x86_mmr, limit, 16);
AT(uc_x86_mmr, flags, 20);
SIZE(uc_x86_msr, 16);
AT(uc_x86_msr, value, 8);
SIZE(uc_arm_cp_reg, 40);
AT(uc_arm_cp_reg, is64, 4);
AT(uc_arm_cp_reg, sec, 8);
AT(uc_arm_cp_reg, crn, 12);
AT(uc_arm_cp_reg, crm, 16);
AT(uc_arm_cp_reg, opc1, 20);
AT(uc_arm_cp_reg, opc2, 24);
AT(uc_arm_cp_reg, val, 32);
SIZE(uc_arm64_cp_reg, 32);
AT(uc_arm64_cp_reg, val, 24);
SIZE(uc_hook, sizeof(size_t));
SIZE(uc_err, 4);
SIZE(uc_arch, 4);
SIZE(uc_mode, 4);
SIZE(uc_prot, 4);

IS(UC_ARCH_ARM, 1);
IS(UC_ARCH_ARM64, 2);
IS(UC_ARCH_X86, 4);
IS(UC_ARCH_MAX, 11);
IS(UC_ERR_OVERFLOW, 22);
IS(UC_ERR_EXCEPTION, 21);
IS(UC_ERR_ARG, 15);
IS(UC_HOOK_INTR, 1);
IS(UC_HOOK_TLB_FILL, 1 << 17);
IS(UC_HOOK_MEM_UNMAPPED, 7 << 4);
IS(UC_HOOK_MEM_PROT, 7 << 7);
IS(UC_HOOK_MEM_INVALID, 63 << 4);
IS(UC_HOOK_MEM_READ_INVALID, 1 << 4 | 1 << 7);
IS(UC_HOOK_MEM_WRITE_INVALID, 1 << 5 | 1 << 8);
IS(UC_HOOK_MEM_FETCH_INVALID, 1 << 6 | 1 << 9);
IS(UC_HOOK_MEM_VALID, 7 << 10);
IS(UC_MEM_READ, 16);
IS(UC_MEM_READ_AFTER, 25);
IS(UC_QUERY_TIMEOUT, 4);
IS(UC_CTL_CONTEXT_MODE, 14);
IS(UC_MODE_BIG_ENDIAN, 1 << 30);
IS(UC_MODE_ARMBE8, 1 << 10);
IS(UC_X86_REG_ENDING, 259);
IS(UC_X86_REG_RIP, 41);
IS(UC_X86_REG_XMM0, 122);
IS(UC_ARM_REG_ENDING, 141);
IS(UC_ARM_REG_PC, 11);
IS(UC_ARM64_REG_ENDING, 293);
IS(UC_RISCV_REG_ENDING, 192);
IS(UC_X86_INS_ENDING, 1338);
IS(UC_X86_INS_SYSCALL, 699);
IS(UC_CPU_X86_HASWELL, 19);
IS(UC_CPU_X86_ENDING, 38);
IS(UC_CPU_ARM_CORTEX_A15, 17);
IS(UC_CPU_ARM_ENDING, 34);
IS(UC_API_MAJOR, 2);
IS(UC_API_MINOR, 1);
IS(UC_SECOND_SCALE, 1000000);
IS(UC_MILISECOND_SCALE, 1000);

/* A word of uc_ctl is the type, the number of arguments and the direction. */
static void test_ctl_words(void **state)
{
    (void)state;
    assert_int_equal((uint32_t)UC_CTL_READ(UC_CTL_UC_MODE, 1), 0x84000000);
    assert_int_equal((uint32_t)UC_CTL_WRITE(UC_CTL_UC_EXITS, 2), 0x48000006);
    assert_int_equal((uint32_t)UC_CTL_READ_WRITE(UC_CTL_TB_REQUEST_CACHE, 2), 0xc8000008);
    assert_int_equal((uint32_t)UC_CTL_NONE(UC_CTL_TB_FLUSH, 0), 10);
}

static void test_functions(void **state)
{
    static const char *const names[] = {
        "uc_version",
        "uc_arch_supported",
        "uc_open",
        "uc_close",
        "uc_query",
        "uc_ctl",
        "uc_errno",
        "uc_strerror",
        "uc_reg_write",
        "uc_reg_read",
        "uc_reg_write_batch",
        "uc_reg_read_batch",
        "uc_mem_write",
        "uc_mem_read",
        "uc_emu_start",
        "uc_emu_stop",
        "uc_hook_add",
        "uc_hook_del",
        "uc_mem_map",
        "uc_mem_map_ptr",
        "uc_mmio_map",
        "uc_mem_unmap",
        "uc_mem_protect",
        "uc_mem_regions",
        "uc_context_alloc",
        "uc_free",
        "uc_context_save",
        "uc_context_reg_write",
        "uc_context_reg_read",
        "uc_context_reg_write_batch",
        "uc_context_reg_read_batch",
        "uc_context_restore",
        "uc_context_size",
        "uc_context_free",
    };
    static const char *const since_2_1[] = {
        "uc_reg_write2",
        "uc_reg_read2",
        "uc_reg_write_batch2",
        "uc_reg_read_batch2",
        "uc_context_reg_write2",
        "uc_context_reg_read2",
        "uc_context_reg_write_batch2",
        "uc_context_reg_read_batch2",
        "uc_vmem_read",
        "uc_vmem_write",
        "uc_vmem_translate",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(uct_function(names[i]));
    for (size_t i = 0; i < sizeof since_2_1 / sizeof since_2_1[0]; i++)
        assert_int_equal(uct_function(since_2_1[i]) != NULL, SINCE_2_1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctl_words),
        cmocka_unit_test(test_functions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
