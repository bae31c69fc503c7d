#ifndef HRF_MODEL_H
#define HRF_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*@header@*/

/* What the functions return. From 0 up, log-probabilities may be read. */
enum {
    HRF_OK = 0,
    HRF_RESULT = 1,        /* of a window of the stream; feed what is left */
    HRF_AGAIN = 2,         /* the loudest came late: see hrf_again */
    HRF_NO_SAMPLE = -1,    /* none, or none since the last window */
    HRF_WRONG_ORDER = -2,  /* such as feeding after hrf_finish */
    HRF_BAD_ARGUMENT = -3, /* a null pointer, or a hop that cannot be */
    HRF_TOO_LONG = -4      /* more than 2^24 frames in one recording */
};

extern const char *const hrf_labels[HRF_CLASSES];

/* A recording: hrf_reset, hrf_feed as samples arrive, hrf_finish.
 *
 * There is one state, in static memory: what is called from two threads or
 * from an interrupt needs a lock around it. Whenever HRF_FRAMES frames, one
 * every HRF_HOP samples, are complete, hrf_feed computes them, which takes most
 * of the time. */
void hrf_reset(void);
int hrf_feed(const int16_t *samples, size_t n);
int hrf_finish(float log_probabilities[HRF_CLASSES]);

/* Features are cut 80 dB below the recording's loudest frame. If that comes
 * after a window has been computed, and changes it, hrf_finish returns
 * HRF_AGAIN with a result for what was loudest until then. For SpeechBrain's,
 * call hrf_again instead of hrf_reset, and feed the same recording once more.
 * A recording that fits into one window never needs it. */
int hrf_again(void);

/* A stream: at every hop, a result for the last HRF_WINDOW samples, or for all
 * while they are fewer. The hop is in samples, a multiple of HRF_HOP and at
 * least HRF_SHORTEST_HOP.
 *
 *     hrf_reset_stream(HRF_SAMPLE_RATE);
 *     while (n = microphone(samples))
 *         for (const int16_t *s = samples; hrf_feed_stream(&s, &n, result)
 *              == HRF_RESULT;)
 *             use(result);
 *
 * hrf_feed_stream moves on what it is given: it returns HRF_RESULT at each
 * hop, HRF_OK when no sample is left. hrf_finish gives one window more, for
 * the end, if that lies between two hops. hrf_combine gives the mean
 * probabilities of all windows so far. */
int hrf_reset_stream(uint32_t hop);
int hrf_feed_stream(const int16_t **samples, size_t *n,
                    float log_probabilities[HRF_CLASSES]);
int hrf_combine(float probabilities[HRF_CLASSES]);

#ifdef __cplusplus
}
#endif

#endif
