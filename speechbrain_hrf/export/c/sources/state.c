/* All that is kept from one call to the next. */

enum { IDLE, RECORDING, STREAM };

static struct {
    int mode;

    /* Samples of the next frame, zeros before the first one. */
    int16_t samples[FFT];
    int filled;

    /* Decibels of the latest frames, not cut yet, in a ring. */
    float frames[RING][MELS];
    int row; /* of the next frame */

    /* A recording: frames so far, and how many of them are embedded. */
    uint32_t received, embedded;
    float loudest, quietest; /* of all frames; of the embedded ones */
    float embedding[WIDTH];  /* sum over the embedded frames */
    int late;                /* an embedded frame should have been cut */

    /* A stream: frames so far, up to one more than a window's. */
    int known;
    uint32_t hop, until; /* samples; until the next window ends */
    int hop_frames;
    int phase; /* frames since a window has begun; below 0, until then */
    /* The first frames of a window see zeros before it, where the ring holds
     * what they saw in the stream. A place for each window that has begun. */
    float edges[SLOTS][EDGE][MELS];
    int opened, closed; /* slot of the next one */
    float mean[HRF_CLASSES]; /* probabilities */
    uint32_t windows;
} state;

/* The frames that features are computed from. Number 0 lies in `row` of the
 * ring; derivatives reach from `low` to `high`, and repeat what is there. */
static struct {
    int row, low, high;
    const float (*edge)[MELS]; /* instead of the first ones, or NULL */
    float cut;                 /* decibels; lower ones are raised to it */
} view;
