"""The model as C99, for a microcontroller: waveform in, labels out.

``hrf export SOURCE TARGET --c`` writes ``hrf_model.h`` and ``hrf_model.c``, made
of the files in ``sources`` and of the model's parameters, and holds what the
host's compiler makes of them against SpeechBrain. docs/microcontroller.md says
how to use them.

Authors
 * The speechbrain_hrf authors 2026
"""
