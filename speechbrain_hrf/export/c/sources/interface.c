/* From samples to windows of frames, and from these to a result. */

#define REACH 4              /* frames that derivatives look at on both sides */
#define LONGEST (1L << 24)   /* frames; float32 counts no further */
#define SILENCE (-1000.0f)   /* decibels, below those of any frame */

/* The loudest or, with sign -1, the quietest of `n` frames of the view. */
static float extreme(float sign, int n)
{
    float most = sign * SILENCE;
    for (int t = 0; t < n; t++)
        for (int band = 0; band < MELS; band++) {
            float value = frame(t)[band];
            if (sign * value > sign * most)
                most = value;
        }
    return most;
}

static void forget(int mode)
{
    state.mode = mode;
    for (int i = 0; i < FFT / 2; i++)
        state.samples[i] = 0;
    state.filled = FFT / 2;
    state.row = 0;
    state.received = state.embedded = 0;
    state.late = 0;
    for (int c = 0; c < WIDTH; c++)
        state.embedding[c] = 0.0f;
    state.known = state.opened = state.closed = 0;
    state.windows = 0;
    for (int i = 0; i < HRF_CLASSES; i++)
        state.mean[i] = 0.0f;
}

static void classify(const float embedding[WIDTH],
                     float log_probabilities[HRF_CLASSES])
{
    float x[HEAD_HIDDEN], total = 0.0f;
    linear(&head1, embedding, x);
    for (int i = 0; i < HEAD_HIDDEN; i++)
        x[i] = head_activation(x[i]);
    linear(&head2, x, log_probabilities);
    float most = log_probabilities[0];
    for (int i = 1; i < HRF_CLASSES; i++)
        if (log_probabilities[i] > most)
            most = log_probabilities[i];
    for (int i = 0; i < HRF_CLASSES; i++)
        total += expf(log_probabilities[i] - most);
    for (int i = 0; i < HRF_CLASSES; i++)
        log_probabilities[i] -= most + logf(total);
}

/* Frames whose centre has come, but not all of their samples: zeros follow.
 * They lie in the ring from `row` on, where later frames replace them. */
static int add_tail(void)
{
    int tail = 0;
    for (int at = 0; at + FFT <= state.filled + FFT / 2; at += HRF_HOP)
        mel_decibels(state.samples + at, 0, state.filled - at,
                     state.frames[(state.row + tail++) % RING]);
    return tail;
}

/* The next `count` frames of a recording; those known behind them serve the
 * derivatives. */
static void embed_next(int count)
{
    float embedding[WIDTH];
    int known = (int)(state.received - state.embedded);
    view.row = (state.row - known + RING) % RING;
    view.low = state.embedded ? -REACH : 0;
    view.high = known - 1;
    view.edge = NULL;
    float cut = state.loudest - TOP_DECIBELS;
    if (state.embedded && cut > view.cut && cut > state.quietest)
        state.late = 1;
    view.cut = cut;
    float quietest = extreme(-1.0f, known);
    if (!state.embedded || quietest < state.quietest)
        state.quietest = quietest;
    embed(count, embedding);
    for (int c = 0; c < WIDTH; c++)
        state.embedding[c] += (float)count * embedding[c];
    state.embedded += (uint32_t)count;
}

static void receive(int frames)
{
    view.row = state.row;
    view.low = 0;
    view.high = frames - 1;
    view.edge = NULL;
    float loudest = extreme(1.0f, frames);
    if (loudest > state.loudest)
        state.loudest = loudest;
    state.row = (state.row + frames) % RING;
    state.received += (uint32_t)frames;
}

/* A stream's next frame, and what it is for a window that begins here. */
static void add_edge(void)
{
    if (state.phase >= 0 && state.phase < EDGE)
        mel_decibels(state.samples, FFT / 2 - state.phase * HRF_HOP, FFT,
                     state.edges[state.opened][state.phase]);
    if (++state.phase == EDGE)
        state.opened = (state.opened + 1) % SLOTS;
    if (state.phase == state.hop_frames)
        state.phase = 0;
    if (state.known < HRF_FRAMES)
        state.known++;
}

static void take(int16_t sample)
{
    state.samples[state.filled++] = sample;
    if (state.filled < FFT)
        return;
    mel_decibels(state.samples, 0, FFT, state.frames[state.row]);
    if (state.mode == STREAM) {
        add_edge();
        state.row = (state.row + 1) % RING;
    } else {
        receive(1);
        if (state.received - state.embedded == HRF_FRAMES + REACH)
            embed_next(HRF_FRAMES);
    }
    for (int i = 0; i < FFT - HRF_HOP; i++)
        state.samples[i] = state.samples[i + HRF_HOP];
    state.filled = FFT - HRF_HOP;
}

/* The last window of a stream. */
static void tell(int on_hop, float log_probabilities[HRF_CLASSES])
{
    float embedding[WIDTH];
    int tail = add_tail(), count = state.known + tail;
    view.edge = NULL;
    if (count > HRF_FRAMES) {
        count = HRF_FRAMES;
        if (on_hop) {
            view.edge = (const float(*)[MELS])state.edges[state.closed];
            state.closed = (state.closed + 1) % SLOTS;
        }
    }
    view.row = (state.row + tail - count + RING) % RING;
    view.low = 0;
    view.high = count - 1;
    view.cut = extreme(1.0f, count) - TOP_DECIBELS;
    embed(count, embedding);
    classify(embedding, log_probabilities);
    state.windows++;
    for (int i = 0; i < HRF_CLASSES; i++)
        state.mean[i] += (expf(log_probabilities[i]) - state.mean[i])
                         / (float)state.windows;
}

void hrf_reset(void)
{
    forget(RECORDING);
    state.loudest = SILENCE;
}

int hrf_again(void)
{
    if (state.mode != IDLE || !state.late)
        return HRF_WRONG_ORDER;
    forget(RECORDING);
    return HRF_OK;
}

int hrf_feed(const int16_t *samples, size_t n)
{
    if (state.mode != RECORDING)
        return HRF_WRONG_ORDER;
    if (!samples && n)
        return HRF_BAD_ARGUMENT;
    for (; n; n--) {
        if (state.received >= LONGEST)
            return HRF_TOO_LONG;
        take(*samples++);
    }
    return HRF_OK;
}

int hrf_finish(float log_probabilities[HRF_CLASSES])
{
    if (state.mode == IDLE)
        return HRF_WRONG_ORDER;
    if (!log_probabilities)
        return HRF_BAD_ARGUMENT;
    int was = state.mode;
    state.mode = IDLE;
    if (was == STREAM) {
        if (state.until == state.hop)
            return HRF_NO_SAMPLE;
        tell(0, log_probabilities);
        return HRF_OK;
    }
    if (!state.received && state.filled == FFT / 2)
        return HRF_NO_SAMPLE;
    receive(add_tail());
    while (state.embedded < state.received) {
        uint32_t left = state.received - state.embedded;
        embed_next(left < HRF_FRAMES ? (int)left : HRF_FRAMES);
    }
    for (int c = 0; c < WIDTH; c++)
        state.embedding[c] /= (float)state.received;
    classify(state.embedding, log_probabilities);
    return state.late ? HRF_AGAIN : HRF_OK;
}

int hrf_reset_stream(uint32_t hop)
{
    if (hop % HRF_HOP || hop < HRF_SHORTEST_HOP || hop > INT32_MAX / 2)
        return HRF_BAD_ARGUMENT;
    forget(STREAM);
    state.hop = state.until = hop;
    state.hop_frames = (int)(hop / HRF_HOP);
    /* The first window that does not begin with the stream. */
    int full = (HRF_FRAMES + state.hop_frames - 1) / state.hop_frames;
    state.phase = HRF_FRAMES - 1 - full * state.hop_frames;
    return HRF_OK;
}

int hrf_feed_stream(const int16_t **samples, size_t *n,
                    float log_probabilities[HRF_CLASSES])
{
    if (state.mode != STREAM)
        return HRF_WRONG_ORDER;
    if (!samples || !n || !log_probabilities || (!*samples && *n))
        return HRF_BAD_ARGUMENT;
    while (*n) {
        take(*(*samples)++);
        --*n;
        if (!--state.until) {
            state.until = state.hop;
            tell(1, log_probabilities);
            return HRF_RESULT;
        }
    }
    return HRF_OK;
}

int hrf_combine(float probabilities[HRF_CLASSES])
{
    if (!probabilities)
        return HRF_BAD_ARGUMENT;
    if (!state.windows)
        return HRF_NO_SAMPLE;
    for (int i = 0; i < HRF_CLASSES; i++)
        probabilities[i] = state.mean[i];
    return HRF_OK;
}
