"""A sound file on a disk, or in an archive -> samples at the model's rate.

Authors
 * The speechbrain_hrf authors 2026
"""
