"""Training of many models at once.

Authors
 * The speechbrain_hrf authors 2026
"""
