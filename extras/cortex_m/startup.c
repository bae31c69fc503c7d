/* What runs before main on a Cortex-M4F or M7: vectors, the FPU, memory. */

#include <stdint.h>

extern uint32_t data_in_flash, data_start, data_end, bss_start, bss_end;
extern uint32_t stack_bottom, stack_top;

int main(void);
void reset(void);
void stop(int status);

#define PAINT 0xa5a5a5a5u

static void fault(void)
{
    stop(3);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    &stack_top,          (const void *)reset, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault,
    (const void *)fault,
};

void reset(void)
{
    /* Full access to coprocessors 10 and 11: the FPU (CPACR). */
    *(volatile uint32_t *)0xe000ed88u |= 0xfu << 20;
    __asm volatile("dsb\n\tisb");
    for (uint32_t *to = &data_start, *from = &data_in_flash; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    /* Painted, up to a few words below what is in use here. */
    uint32_t *top = (uint32_t *)__builtin_frame_address(0) - 16;
    for (uint32_t *to = &stack_bottom; to < top;)
        *to++ = PAINT;
    stop(main());
}

/* Bytes of the stack that were ever used. */
uint32_t stack_used(void)
{
    const uint32_t *from = &stack_bottom;
    while (from < &stack_top && *from == PAINT)
        from++;
    return (uint32_t)((const char *)&stack_top - (const char *)from);
}
