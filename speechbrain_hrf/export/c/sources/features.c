/* Features of a frame: decibels in Mel bands, both derivatives, normalised. */

/* Power spectrum of FFT samples, those outside of `from` to `to` being zero,
 * in two steps of the DFT (Cooley and Tukey, 1965): for FFT = N1 N2,
 * n = N2 n1 + n2 and k = k1 + N1 k2,
 *
 *     Y[k1, n2] = exp(-2 pi i n2 k1 / FFT)
 *                 sum over n1 of w[n] x[n] exp(-2 pi i n1 k1 / N1)
 *     X[k] = sum over n2 of Y[k1, n2] exp(-2 pi i n2 k2 / N2)
 *
 * As x is real, X[FFT - k] is X[k] conjugated: k1 up to N1 / 2 is enough. */
static void power_spectrum(const int16_t *samples, int from, int to,
                           float power[FFT / 2 + 1])
{
    float real[N1 / 2 + 1][N2], imag[N1 / 2 + 1][N2];
    for (int n2 = 0; n2 < N2; n2++) {
        float x[N1];
        for (int n1 = 0; n1 < N1; n1++) {
            int n = N2 * n1 + n2;
            x[n1] = n >= from && n < to ? window[n] * samples[n] : 0.0f;
        }
        for (int k1 = 0; k1 <= N1 / 2; k1++) {
            float a = dot(cosines1[k1], x, N1);
            float b = -dot(sines1[k1], x, N1);
            float c = turn_cosines[k1][n2], s = turn_sines[k1][n2];
            real[k1][n2] = a * c + b * s;
            imag[k1][n2] = b * c - a * s;
        }
    }
    for (int k1 = 0; k1 <= N1 / 2; k1++) {
        for (int k2 = 0; k2 < N2; k2++) {
            int k = k1 + N1 * k2;
            if (k > FFT / 2)
                k = FFT - k;
            const float *c = cosines2[k2], *s = sines2[k2];
            float a = dot(real[k1], c, N2) + dot(imag[k1], s, N2);
            float b = dot(imag[k1], c, N2) - dot(real[k1], s, N2);
            power[k] = a * a + b * b;
        }
    }
}

static void mel_decibels(const int16_t *samples, int from, int to,
                         float decibels[MELS])
{
    float power[FFT / 2 + 1];
    const float *weight = filter_weights;
    power_spectrum(samples, from, to, power);
    for (int band = 0; band < MELS; band++) {
        int size = filter_sizes[band];
        float sum = dot(weight, power + filter_starts[band], size);
        decibels[band] = 10.0f * log10f(sum > LEAST_POWER ? sum : LEAST_POWER);
        weight += size;
    }
}

static int within_view(int t)
{
    return t < view.low ? view.low : t > view.high ? view.high : t;
}

static const float *frame(int t)
{
    t = within_view(t);
    if (view.edge && t < EDGE)
        return view.edge[t];
    return state.frames[(view.row + t + RING) % RING];
}

static float level(int t, int band)
{
    float value = frame(t)[band];
    return value > view.cut ? value : view.cut;
}

static float slope(int t, int band)
{
    t = within_view(t);
    return (level(t + 1, band) - level(t - 1, band)
            + 2.0f * (level(t + 2, band) - level(t - 2, band))) / 10.0f;
}

/* Of frame t among `count`; behind them, zeros. */
static void features(int t, int count, float out[FEATURES])
{
    for (int band = 0; band < MELS; band++) {
        out[band] = level(t, band);
        out[MELS + band] = slope(t, band);
        out[2 * MELS + band] =
            (slope(t + 1, band) - slope(t - 1, band)
             + 2.0f * (slope(t + 2, band) - slope(t - 2, band))) / 10.0f;
    }
    for (int i = 0; i < FEATURES; i++)
        out[i] = t < count ? (out[i] - feature_means[i])
                             / feature_deviations[i] : 0.0f;
}
