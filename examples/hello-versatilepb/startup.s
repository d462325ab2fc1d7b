@ The kernel's entry: a stack, then C. There is nothing to return to.
    .global _start
_start:
    ldr sp, =stack_top
    bl c_entry
    b .
