/* Calls what hrf_model.h declares in a random order, and watches that it says
 * what it should: fuzz <seed> <calls>. The sanitizers watch the rest. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hrf_model.h"

enum { IDLE, RECORDING, STREAM };

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void fail(const char *what, int status)
{
    printf("%s returned %d\n", what, status);
    exit(1);
}

static void expect(const char *what, int status, int wanted)
{
    if (status != wanted)
        fail(what, status);
}

static void look_at(const float *found)
{
    double total = 0.0;
    for (int i = 0; i < HRF_CLASSES; i++)
        total += exp((double)found[i]);
    if (!(fabs(total - 1.0) < 1e-3))
        fail("a sum of probabilities", (int)(1000.0 * total));
}

int main(int argc, char **argv)
{
    static int16_t pool[2 * HRF_WINDOW];
    int mode = IDLE, results = 0;
    size_t fed = 0;
    uint32_t hop = 0, wanted;
    float found[HRF_CLASSES];
    if (argc != 3)
        return 2;
    seed = (uint32_t)atoi(argv[1]);
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++)
        pool[i] = (int16_t)((int)draw(65536) - 32768);
    for (int calls = atoi(argv[2]); calls > 0; calls--) {
        /* An exact copy, so that reading beyond its end is seen. */
        size_t n = draw(4) ? draw(2 * HRF_HOP) : draw(2 * HRF_WINDOW);
        int16_t *samples = malloc((n ? n : 1) * sizeof *samples);
        uint32_t quieter = draw(3) ? 1 : 20000;
        if (!samples)
            return 2;
        for (size_t i = 0; i < n; i++)
            samples[i] = (int16_t)(pool[i] / (int)quieter);
        int status;
        switch (draw(12)) {
        case 0:
            hrf_reset();
            mode = RECORDING;
            fed = 0;
            break;
        case 1:
            wanted = HRF_HOP * draw(HRF_FRAMES);
            status = hrf_reset_stream(wanted);
            if (wanted < HRF_SHORTEST_HOP) {
                expect("hrf_reset_stream", status, HRF_BAD_ARGUMENT);
            } else {
                expect("hrf_reset_stream", status, HRF_OK);
                mode = STREAM;
                hop = wanted;
                fed = 0;
            }
            break;
        case 2:
            status = hrf_finish(found);
            if (mode == IDLE)
                expect("hrf_finish", status, HRF_WRONG_ORDER);
            else if (!fed || (mode == STREAM && fed % hop == 0))
                expect("hrf_finish", status, HRF_NO_SAMPLE);
            else if (status != HRF_OK
                     && (status != HRF_AGAIN || mode != RECORDING))
                fail("hrf_finish", status);
            else
                results++;
            if (status >= HRF_OK)
                look_at(found);
            mode = IDLE;
            if (status == HRF_AGAIN && draw(2)) {
                expect("hrf_again", hrf_again(), HRF_OK);
                mode = RECORDING;
                fed = 0;
            }
            break;
        case 3:
            status = hrf_combine(found);
            if (status == HRF_OK && mode == RECORDING)
                fail("hrf_combine", status);
            break;
        case 4:
            if (mode != IDLE)
                expect("hrf_again", hrf_again(), HRF_WRONG_ORDER);
            break;
        case 5:
        case 6:
        case 7:
        case 8: {
            const int16_t *place = samples;
            size_t left = n;
            if (mode != STREAM) {
                status = hrf_feed_stream(&place, &left, found);
                expect("hrf_feed_stream", status, HRF_WRONG_ORDER);
                break;
            }
            size_t windows = (fed + n) / hop - fed / hop;
            while ((status = hrf_feed_stream(&place, &left, found))
                   == HRF_RESULT) {
                look_at(found);
                results++;
                windows--;
            }
            expect("hrf_feed_stream", status, HRF_OK);
            if (windows || left || place != samples + n)
                fail("windows of a stream", (int)windows);
            fed += n;
            break;
        }
        default:
            status = hrf_feed(samples, n);
            expect("hrf_feed", status,
                   mode == RECORDING ? HRF_OK : HRF_WRONG_ORDER);
            if (mode == RECORDING)
                fed += n;
        }
        free(samples);
    }
    printf("%d results\n", results);
    return 0;
}
