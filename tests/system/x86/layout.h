/* Where things are in a test image; for C and assembler. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define IMAGE        0x1000  /* linked and copied to here, at most to 0xff00 */
#define PAGES        0x20000 /* page tables of the start into long mode, 3 pages */
#define TABLES       0x30000 /* page tables that tests make, up to DATA */
#define DATA         0x60000 /* 64 KiB that tests play with */
#define USER_STACK   0x78000
#define TSS_STACK    0x7a000 /* SP0 of the TSS */
#define KERNEL_STACK 0x7e000

#define SEL_CODE        0x08
#define SEL_DATA        0x10
#define SEL_USER_CODE32 0x1b
#define SEL_USER_DATA   0x23
#define SEL_USER_CODE64 0x2b
#define SEL_CODE32      0x30
#define SEL_CODE16      0x38
#define SEL_DATA16      0x40
#define SEL_TSS         0x48 /* two entries */
#define SEL_LDT         0x58 /* two entries */
#define SEL_TEST        0x80 /* from here on a test's own */
#define GDT_SIZE        64

#define ENTRIES    64         /* vectors with an entry point */
#define WITH_ERROR 0x00227d00 /* 8, 10 to 14, 17, 21 push an error code */
#define VECTOR_OK  0x30       /* INT 0x30 ends a piece of user code */

#endif
