static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

/* score(i, j) = ((q_i + u) k_j + (q_i + v) p_|i-j|) / sqrt(head width) */
static void relative_attention(int block, int n)
{
    float x[WIDTH], q[WIDTH], qu[WIDTH], qv[WIDTH], y[WIDTH];
    float scores[MAX_HIDDEN];
    for (int t = 0; t < n; t++) {
        layer_norm(&attention_norm[block], hidden[t], x);
        linear(&to_key[block], x, scratch.attention.key[t]);
        linear(&to_value[block], x, scratch.attention.value[t]);
    }
    for (int i = 0; i < n; i++) {
        layer_norm(&attention_norm[block], hidden[i], x);
        linear(&to_query[block], x, q);
        for (int c = 0; c < WIDTH; c++) {
            qu[c] = (q[c] + query_bias[block][c]) * HEAD_SCALE;
            qv[c] = (q[c] + position_bias[block][c]) * HEAD_SCALE;
        }
        for (int head = 0; head < HEADS; head++) {
            int c = head * HEAD_WIDTH;
            for (int j = 0; j < n; j++) {
                int away = i > j ? i - j : j - i;
                scores[j] =
                    dot(qu + c, scratch.attention.key[j] + c, HEAD_WIDTH)
                    + dot(qv + c, positions[block][away] + c, HEAD_WIDTH);
            }
            attend(scores, n, (const float(*)[WIDTH])scratch.attention.value,
                   head, y);
        }
        for (int c = 0; c < WIDTH; c++)
            hidden[i][c] += product(&project[block], c, y);
    }
}

/* Norm, pointwise, GLU, depthwise (with BatchNorm inside), Swish, pointwise. */
static void convolution(int block, int n)
{
    float x[WIDTH], y[2 * WIDTH], seen[KERNEL];
    for (int t = 0; t < n; t++) {
        layer_norm(&convolution_norm[block], hidden[t], x);
        linear(&pointwise1[block], x, y);
        for (int c = 0; c < WIDTH; c++)
            scratch.gated[t][c] = y[c] * sigmoid(y[WIDTH + c]);
    }
    for (int t = 0; t < n; t++) {
        for (int c = 0; c < WIDTH; c++) {
            for (int k = 0; k < KERNEL; k++) {
                int from = t + k - KERNEL / 2;
                seen[k] =
                    from >= 0 && from < n ? scratch.gated[from][c] : 0.0f;
            }
            x[c] = product(&depthwise[block], c, seen);
            x[c] *= sigmoid(x[c]);
        }
        for (int c = 0; c < WIDTH; c++)
            hidden[t][c] += product(&pointwise2[block], c, x);
    }
}

/* Mean hidden frame of the first `count` frames of the view. */
static void embed(int count, float embedding[WIDTH])
{
    int n = front_end(count);
    for (int block = 0; block < BLOCKS; block++) {
        for (int t = 0; t < n; t++)
            feed_forward(&macaron_norm[block], &macaron1[block],
                         &macaron2[block], 0.5f, hidden[t]);
        relative_attention(block, n);
        convolution(block, n);
        for (int t = 0; t < n; t++) {
            float x[WIDTH];
            feed_forward(&feed_forward_norm[block], &linear1[block],
                         &linear2[block], 0.5f, hidden[t]);
            layer_norm(&block_norm[block], hidden[t], x);
            for (int c = 0; c < WIDTH; c++)
                hidden[t][c] = x[c];
        }
    }
    mean_of_hidden(n, embedding);
}
