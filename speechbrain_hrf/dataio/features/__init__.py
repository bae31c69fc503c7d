"""Features of a corpus, computed once and kept.

Authors
 * The speechbrain_hrf authors 2026
"""
