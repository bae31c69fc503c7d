/* Classifies one recording, as a microphone's driver would give it: blocks of
 * 16 ms. The command line names a file of bare samples, 16 bits each. Prints
 * the label, the log-probabilities (as bits of float32), bytes of stack that
 * were used, and ticks of SysTick in the model, the files' reading left out. */

#include "hrf_model.h"
#include "semihosting.h"

#define BLOCK 256

/* SysTick counts down 24 bits, on a chip by its clock's cycles. */
#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014u)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018u)
#define LARGEST 0xffffffu

uint32_t stack_used(void);

static uint32_t ticks;
static char name[256];
static int16_t samples[BLOCK];

static void print_number(uint32_t value, uint32_t base)
{
    char text[11] = "", *digit = text + 10;
    do {
        *--digit = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    print(digit);
}

static void start_counting(void)
{
    SYST_RVR = LARGEST;
    SYST_CVR = 0;
    SYST_CSR = 5; /* enabled, the processor's clock, no interrupt */
}

static int classify(float *log_probabilities)
{
    int32_t file = open_file(name, (uint32_t)command_line(name, sizeof name));
    uint32_t bytes;
    if (file < 0)
        return HRF_NO_SAMPLE;
    while ((bytes = read_file(file, samples, sizeof samples)) > 0) {
        uint32_t before = SYST_CVR;
        hrf_feed(samples, bytes / sizeof *samples);
        ticks += (before - SYST_CVR) & LARGEST;
    }
    close_file(file);
    uint32_t before = SYST_CVR;
    int status = hrf_finish(log_probabilities);
    ticks += (before - SYST_CVR) & LARGEST;
    return status;
}

int main(void)
{
    float found[HRF_CLASSES];
    int best = 0;
    start_counting();
    hrf_reset();
    int status = classify(found);
    if (status == HRF_AGAIN) {
        hrf_again();
        status = classify(found);
    }
    if (status != HRF_OK) {
        print("no recording\n");
        return 1;
    }
    for (int i = 1; i < HRF_CLASSES; i++)
        if (found[i] > found[best])
            best = i;
    print(hrf_labels[best]);
    print("\n");
    for (int i = 0; i < HRF_CLASSES; i++) {
        union {
            float value;
            uint32_t bits;
        } of = {found[i]};
        print_number(of.bits, 16);
        print(" ");
    }
    print("\n");
    print_number(stack_used(), 10);
    print("\n");
    print_number(ticks, 10);
    print("\n");
    return 0;
}
