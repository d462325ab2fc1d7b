/* Writes one line to the first PL011 UART of the ARM Versatile board, byte by byte. */
volatile unsigned int *const UART0DR = (unsigned int *)0x101f1000;

static void print(const char *s)
{
    while (*s)
        *UART0DR = (unsigned int)*s++;
}

void c_entry(void)
{
    print("Hello world!\n");
}
