"""Models as SpeechBrain lobes.

Authors
 * The speechbrain_hrf authors 2026
"""
